// Barcode readers type like a keyboard, only faster. A code that ends with Enter opens what it names, wherever one is;
// while characters come that fast, the keys they would press wait for a moment, so that no code triggers an action.
(() => {
  "use strict";

  const GAP_MS = 30; // people need longer between two keys, readers do not
  const FEWEST = 5;
  const FIELD = "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=hidden]), textarea, select, [contenteditable]";

  let code = "";
  let last = -Infinity;
  let held = []; // keys that would act, until it is clear who typed them
  let timer = 0;
  const again = new WeakSet();

  // Whether the page gives this key to a button or link; a key that leads into a field acts at once.
  function acts(event) {
    const letter = /^[a-z]$/i.test(event.key);
    const name = CSS.escape(`${letter && event.shiftKey ? "Shift+" : ""}${letter ? event.key.toLowerCase() : event.key}`);
    const found = [...document.querySelectorAll(`[data-key="${name}"], [data-key^="${name} "]`)];
    return found.some((element) => !element.matches(FIELD));
  }

  function letGo() {
    clearTimeout(timer);
    const keys = held;
    held = [];
    for (const { key, shiftKey, target } of keys) {
      const event = new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true });
      again.add(event);
      (target.isConnected ? target : document.body).dispatchEvent(event);
    }
  }

  function forget() {
    letGo();
    code = "";
  }

  function isScan(event) {
    return code.length >= FEWEST && /\d/.test(code) && event.timeStamp - last <= GAP_MS;
  }

  function open() {
    clearTimeout(timer);
    held = [];
    location.assign(document.body.dataset.scanUrl + encodeURIComponent(code));
    code = "";
  }

  function stop(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  function onKey(event) {
    if (again.has(event) || event.isComposing || event.keyCode === 229) return;
    if (event.key === "Shift") return; // readers press it for capitals
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.repeat && !event.target.matches?.(FIELD);
    if (plain && event.key === "Enter" && isScan(event)) {
      stop(event);
      open();
    } else if (!plain || event.key.length !== 1) forget();
    else take(event);
  }

  function take(event) {
    if (event.timeStamp - last > GAP_MS) forget();
    code += event.key;
    last = event.timeStamp;
    if (!held.length && !acts(event)) return;
    stop(event);
    held.push({ key: event.key, shiftKey: event.shiftKey, target: event.target });
    clearTimeout(timer);
    timer = setTimeout(letGo, GAP_MS);
  }

  if (document.body.dataset.scanUrl) {
    document.addEventListener("keydown", onKey, true);
    document.addEventListener("pointerdown", forget, true); // what was pressed before a click acts before it
  }
})();
