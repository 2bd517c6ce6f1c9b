// Fills in the code that a mailed link carries behind its #. Browsers send that part nowhere, so no log has the code, and
// a mail scanner that opens the link uses nothing up: the form has to be sent.
const code = location.hash.slice(1);
if (/^\d+$/.test(code)) {
  document.getElementById("code").value = code;
  history.replaceState(null, "", location.pathname);
}
