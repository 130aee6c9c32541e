// On a store's device: the pad for the PIN, and a look now and then whether the person of the open screen is still in.
(() => {
  "use strict";

  const field = document.querySelector("[data-pin]");
  const pad = document.querySelector("[data-keypad]");
  const bar = document.querySelector("[data-pin-watch]");
  const EVERY_MS = 20000;

  // The pad stands in for the keyboard of the screen; a real keyboard works as before.
  if (field && pad) {
    pad.hidden = false;
    field.inputMode = "none";
    pad.addEventListener("click", (event) => {
      const key = event.target.closest("[data-digit]")?.dataset.digit;
      if (key === undefined) return;
      if (key === "clear") field.value = "";
      else if (key === "back") field.value = field.value.slice(0, -1);
      else if (field.value.length < field.maxLength) field.value += key;
    });
  }

  if (!bar) {
    // Nobody is in: what pages of the person before htmx kept for going back is thrown away.
    for (const store of [sessionStorage, localStorage]) store.removeItem("htmx-history-cache");
    return;
  }

  let touched = false;
  for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    document.addEventListener(kind, () => (touched = true), { capture: true, passive: true });
  }

  // Whoever reads or types stays in; a screen that nobody touches lets its person go, and shows the names again.
  async function look() {
    const headers = touched ? {} : { "X-Live": "1" };
    touched = false;
    try {
      const answer = await fetch(bar.dataset.pinWatch, { headers, redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 403) location.replace(bar.dataset.pinOut);
    } catch {
      // no connection: the next look tells
    }
  }
  setInterval(look, EVERY_MS);
  window.addEventListener("pageshow", (event) => event.persisted && look());
})();
