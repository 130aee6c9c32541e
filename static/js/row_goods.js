// 受注一覧: all goods of a row, shown beside its summary while one points at it, rests on it with the keyboard, or taps it.
// Fetched when asked for. Without scripts the summary is a link to the same list.
(() => {
  "use strict";

  const REST_MS = 350; // a pointer that only passes by asks for nothing
  const LEAVE_MS = 250; // time to reach the list itself
  let timer = null;
  let shown = null; // the link whose goods are shown

  const box = () => document.getElementById("row-goods");
  const linkOf = (event) => event.target.closest?.("a[data-goods]");

  function place(link) {
    const at = link.getBoundingClientRect();
    const size = box().getBoundingClientRect();
    const below = at.bottom + size.height + 8 < window.innerHeight || at.top < size.height + 8;
    box().style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - size.width - 8))}px`;
    box().style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - size.height - 4)}px`;
  }

  async function open(link) {
    if (!box() || (shown === link && box().matches(":popover-open"))) return;
    shown = link;
    await window.htmx.ajax("GET", link.href, { target: "#row-goods", swap: "innerHTML" });
    if (shown !== link || !link.isConnected) return;
    if (!box().matches(":popover-open")) box().showPopover();
    place(link);
  }

  function close() {
    shown = null;
    if (box()?.matches(":popover-open")) box().hidePopover();
  }

  function soon(action, ms) {
    clearTimeout(timer);
    timer = setTimeout(action, ms);
  }

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const link = linkOf(event);
    if (link) soon(() => open(link), REST_MS);
    else if (box()?.contains(event.target)) clearTimeout(timer);
    else if (shown) soon(close, LEAVE_MS);
    else clearTimeout(timer);
  });
  document.addEventListener("focusin", (event) => {
    const link = linkOf(event);
    if (link?.matches(":focus-visible")) soon(() => open(link), REST_MS);
    else if (shown && !box()?.contains(event.target)) soon(close, 0);
  });
  document.addEventListener("click", (event) => {
    const link = linkOf(event);
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    clearTimeout(timer);
    open(link);
  });
  window.addEventListener("scroll", () => shown && close(), { passive: true });
})();
