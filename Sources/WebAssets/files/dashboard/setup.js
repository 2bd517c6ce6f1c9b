// The link that the server prints has the code in its fragment, which no server and no log gets to see.
const code = document.querySelector("#code");
if (location.hash.length > 1) {
  code.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  document.querySelector("#name").focus();
}
