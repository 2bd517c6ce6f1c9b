// Shows who is here as the server tells it: what comes is the list as the page has it.
const place = document.querySelector("#live");
const connection = document.querySelector("#connection");

const say = (text, state) => {
  if (connection.dataset.state === state) return;
  connection.dataset.state = state;
  connection.textContent = text;
};

const source = new EventSource(place.dataset.source);
source.onopen = () => say("Live", "live");
source.onerror = () =>
  source.readyState === EventSource.CLOSED
    ? say("Not live any more. Reload the page.", "closed")
    : say("The connection is lost. Trying again…", "lost");
source.onmessage = ({ data }) => {
  // A list that changes under the keyboard must not lose its place.
  const region = place.querySelector(".scroll");
  const left = region?.scrollLeft;
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const href = focused?.getAttribute("href");
  place.innerHTML = data;
  if (left) place.querySelector(".scroll")?.scrollTo({ left });
  if (href) [...place.querySelectorAll("a")].find((link) => link.getAttribute("href") === href)?.focus();
  else if (focused) place.querySelector(".scroll")?.focus();
};
