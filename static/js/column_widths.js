// 受注一覧: columns are made wider and narrower by dragging their edge, or with the arrow keys while it has the focus; Home
// gives one its own width back. The address keeps the widths, so a saved view keeps them too.
(() => {
  "use strict";

  const LEAST = 48;
  const MOST = 800;
  const STEP = 16;
  const REST_MS = 600; // so long nothing is pressed before the list is asked anew
  let timer = null;
  let focused = ""; // the column whose edge had the focus before the list came anew

  const tableOf = () => document.querySelector("table.desk-table[data-widths]");
  const heads = (table) => [...table.querySelectorAll("thead th[data-column]")];
  const clamp = (width) => Math.round(Math.max(LEAST, Math.min(MOST, width)));

  // From the browser's own widths to fixed ones, once something differs.
  function fix(table) {
    const all = [...table.querySelectorAll("thead th")];
    if (!table.classList.contains("is-sized")) {
      const widths = all.map((head) => head.getBoundingClientRect().width);
      all.forEach((head, at) => (head.style.width = `${head.dataset.width || widths[at]}px`));
      table.classList.add("is-sized");
    }
    table.style.width = `${all.reduce((sum, head) => sum + parseFloat(head.style.width), 0)}px`;
  }

  function resize(head, width) {
    const table = head.closest("table");
    fix(table);
    head.dataset.width = clamp(width);
    head.style.width = `${head.dataset.width}px`;
    head.querySelector(".column-grip").setAttribute("aria-valuenow", head.dataset.width);
    fix(table);
  }

  // The address knows the widths at once: a list that comes anew meanwhile has them too.
  function tell(table) {
    const here = new URL(window.location.href);
    here.searchParams.delete("width");
    for (const head of heads(table)) {
      if (head.dataset.width) here.searchParams.append("width", `${head.dataset.column}-${head.dataset.width}`);
    }
    history.replaceState(history.state, "", here);
  }

  function reload() {
    const here = window.location;
    window.htmx.ajax("GET", here.pathname + here.search, { target: "#desk", swap: "outerHTML" });
  }

  function save(table) {
    tell(table);
    reload();
  }

  function soon(table) {
    tell(table);
    clearTimeout(timer);
    timer = setTimeout(() => tableOf() && reload(), REST_MS);
  }

  function grip(head, table) {
    const edge = document.createElement("span");
    edge.className = "column-grip";
    edge.tabIndex = 0;
    const said = {
      role: "separator",
      "aria-orientation": "vertical",
      "aria-label": `${table.dataset.widths}: ${head.textContent.trim()}`,
      "aria-valuemin": LEAST,
      "aria-valuemax": MOST,
      "aria-valuenow": Math.round(head.getBoundingClientRect().width),
    };
    for (const [name, value] of Object.entries(said)) edge.setAttribute(name, value);
    edge.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      edge.setPointerCapture(event.pointerId);
      const began = { x: event.clientX, width: head.getBoundingClientRect().width };
      const drag = (moved) => resize(head, began.width + moved.clientX - began.x);
      const end = () => {
        edge.removeEventListener("pointermove", drag);
        if (head.dataset.width) save(table);
      };
      edge.addEventListener("pointermove", drag);
      edge.addEventListener("lostpointercapture", end, { once: true });
    });
    edge.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (way) resize(head, head.getBoundingClientRect().width + way * STEP * (event.shiftKey ? 4 : 1));
      else if (event.key === "Home") delete head.dataset.width;
      else return;
      event.preventDefault();
      event.stopPropagation();
      soon(table);
    });
    edge.addEventListener("dblclick", () => {
      delete head.dataset.width;
      save(table);
    });
    return edge;
  }

  function dress() {
    const table = tableOf();
    if (!table || table.dataset.dressed) return;
    table.dataset.dressed = "1";
    for (const head of heads(table)) head.append(grip(head, table));
    const wide = heads(table)[0]?.getClientRects().length; // on a phone rows are cards, without heads
    if (wide && heads(table).some((head) => head.dataset.width)) fix(table);
    if (focused && document.activeElement === document.body) {
      table.querySelector(`th[data-column="${focused}"] .column-grip`)?.focus();
    }
  }

  // An edge that goes away with the old list has no successor yet, and nothing else takes the focus then.
  document.addEventListener("focusin", (event) => {
    focused = event.target.classList.contains("column-grip") ? event.target.closest("th").dataset.column : "";
  });

  dress();
  for (const name of ["htmx:afterSettle", "htmx:oobAfterSwap", "htmx:historyRestore"]) document.addEventListener(name, dress);
})();
