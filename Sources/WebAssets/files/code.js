// Fills in the code that a mailed link carries behind its #. Browsers send that part nowhere, so no log has the code, and
// a mail scanner that opens the link uses nothing up: the form has to be sent.
function fill() {
  const code = location.hash.slice(1);
  if (/^\d+$/.test(code)) {
    document.getElementById("code").value = code;
    history.replaceState(null, "", location.pathname);
  }
}
fill();
// A link that is opened where this page is shown already loads nothing.
addEventListener("hashchange", fill);
