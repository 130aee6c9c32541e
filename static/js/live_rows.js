// The list after a refresh: rows that changed say so for a moment, rows that left fade where they stood, and the row
// under the operator's hand keeps its place in the window.
(() => {
  "use strict";

  const MARK_MS = 4000;
  const FADE_MS = 8000;
  const HAND_MS = 500; // how often it is looked whether the hand has gone
  let before = null;

  const section = () => document.getElementById("desk-rows");
  const rowsOf = (place) => [...place.querySelectorAll("tbody > tr[data-row]")];

  // What a row says of its order: neither its tick nor who else looks at it, how long ago it came or how often its
  // buyer has ordered since.
  function words(row) {
    const copy = row.cloneNode(true);
    for (const part of copy.querySelectorAll(".presence-dot, .cell-select, .desk-time, [data-beside]")) part.remove();
    return copy.innerHTML;
  }

  const anchorRow = (place) => place.querySelector("tr[data-row]:hover") || place.querySelector("tr.is-current[data-row]");

  function remember() {
    const place = section();
    const anchor = anchorRow(place);
    before = {
      rows: rowsOf(place).map((row) => ({ id: row.dataset.row, row, words: words(row) })),
      anchor: anchor && { id: anchor.dataset.row, top: anchor.getBoundingClientRect().top },
    };
  }

  function compare() {
    const place = section();
    if (!before || !place) return;
    const known = new Map(before.rows.map((one) => [one.id, one.words]));
    for (const row of rowsOf(place)) {
      if (!known.has(row.dataset.row)) mark(row, "is-new");
      else if (known.get(row.dataset.row) !== words(row)) mark(row, "is-changed");
    }
    const left = new Map(JSON.parse(place.dataset.left || "[]").map(([id, stage, back]) => [String(id), { stage, back }]));
    before.rows.forEach((one, at) => left.has(one.id) && leave(place, one, at, left.get(one.id)));
    keepPlace(place, before.anchor);
    before = null;
  }

  function mark(row, name) {
    row.classList.add(name);
    setTimeout(() => row.classList.remove(name), MARK_MS);
  }

  // A row that left stays, faint and out of reach, after the row that stood before it.
  function leave(place, { row }, at, { stage, back }) {
    const body = place.querySelector("tbody");
    if (!body) return;
    const ghost = row.cloneNode(true);
    ghost.className = "is-gone";
    for (const name of ["data-row", "tabindex"]) ghost.removeAttribute(name);
    for (const control of ghost.querySelectorAll("input, button")) control.remove();
    for (const step of ghost.querySelectorAll(".desk-do")) step.replaceWith(step.textContent);
    for (const link of ghost.querySelectorAll("[data-open]")) link.removeAttribute("data-open");
    const note = document.createElement("span");
    note.className = "cell-sub gone-note";
    note.textContent = `→ ${stage}`;
    if (back) note.append(" ", wayBack(back, place.dataset.textBack));
    ghost.querySelector(".desk-no")?.append(note);
    ghost.dataset.ghost = row.dataset.row;
    const earlier = before.rows.slice(0, at).reverse();
    const neighbour = earlier.map(({ id }) => body.querySelector(`[data-row="${id}"], [data-ghost="${id}"]`)).find(Boolean);
    neighbour ? neighbour.after(ghost) : body.prepend(ghost);
    window.htmx?.process(ghost);
    setTimeout(() => goWhenFree(ghost), FADE_MS);
  }

  // Takes back what made the row leave; the list follows by itself.
  function wayBack(url, text) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "text-button";
    button.textContent = text;
    button.setAttribute("hx-post", url);
    button.setAttribute("hx-swap", "none");
    return button;
  }

  // Nothing moves while the hand is on the list.
  function goWhenFree(ghost) {
    if (!ghost.isConnected) return;
    if (ghost.closest("tbody").matches(":hover")) setTimeout(() => goWhenFree(ghost), HAND_MS);
    else ghost.remove();
  }

  function keepPlace(place, anchor) {
    const row = anchor && place.querySelector(`[data-row="${anchor.id}"], [data-ghost="${anchor.id}"]`);
    if (row) window.scrollBy({ top: row.getBoundingClientRect().top - anchor.top, behavior: "instant" });
  }

  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.closest("#desk-refresh") || !section()) return;
    event.detail.parameters.shown = rowsOf(section()).map((row) => row.dataset.row).join(",");
  });
  document.addEventListener("htmx:oobBeforeSwap", (event) => event.detail.target?.id === "desk-rows" && remember());
  document.addEventListener("htmx:oobAfterSwap", (event) => event.target?.id === "desk-rows" && compare());
})();
