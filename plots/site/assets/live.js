"use strict";
/* While results grow: load the version of the folder now and then, and the page again when it is another one.
   A script is the one thing that a page without a server may read anew. The address keeps what the reader chose. */
const live = (() => {
  const EVERY = 2000; // milliseconds
  const mine = document.currentScript.dataset.version;

  function ask() {
    const script = document.createElement("script");
    script.src = `assets/version.js?${Date.now()}`;
    script.addEventListener("load", () => script.remove());
    script.addEventListener("error", () => script.remove()); // it is being replaced
    document.head.append(script);
  }

  setInterval(ask, EVERY);
  return {found: (version) => { if (version !== mine) location.reload(); }};
})();
