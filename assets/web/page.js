// Runs before the terminal's own script looks for these: where its socket is. The address is taken from the page's own,
// so that nothing has to be written into the page.
"use strict";
document.getElementById("terminal").dataset.sessionWebsocketUrl =
  window.location.origin.replace(/^http/, "ws") + window.location.pathname + "ws";
const size = Number(new URLSearchParams(window.location.search).get("fontsize"));
if (size >= 6 && size <= 60) {
  document.getElementById("terminal").dataset.fontSize = String(size);
}
document.getElementById("again").addEventListener("click", () => window.location.reload());
// Keys go to the terminal as soon as it draws, without a click.
new MutationObserver((_, watching) => {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys && document.body.classList.contains("-first-byte")) {
    keys.focus();
    watching.disconnect();
  }
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });
