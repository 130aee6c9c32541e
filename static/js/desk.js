// The desk's own scripts: keys, rows, selection, dialogs, drawer, toasts, theme. No library, no inline code;
// everything is declared in the page by data attributes (docs/screens.md), texts included.
(() => {
  "use strict";

  const root = document.documentElement;
  const TYPING = "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=hidden]), textarea, select, [contenteditable]";
  const text = (name) => document.body.dataset[`text${name}`] || "";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const visible = (element) => element.getClientRects().length > 0;

  // ---------------------------------------------------------------- toasts

  const region = () => document.getElementById("messages");

  function toast(message, tone = "info") {
    const box = document.createElement("div");
    box.className = "toast";
    box.dataset.tone = tone;
    box.dataset.toast = "";
    const line = document.createElement("p");
    line.className = "toast-text";
    line.textContent = message;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "icon-button";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", text("Close"));
    close.textContent = "×";
    box.append(line, close);
    region()?.append(box);
    watchToasts();
  }

  // Good news goes by itself; what went wrong stays until someone has read it.
  function watchToasts() {
    for (const box of all("[data-toast]:not([data-watched])")) {
      box.dataset.watched = "";
      if (["error", "danger", "warning"].includes(box.dataset.tone)) continue;
      const leave = () => (box.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : box.remove());
      setTimeout(leave, 6000);
    }
  }

  // ---------------------------------------------------------------- dialogs and drawer

  let cameFrom = null; // where the focus returns when a dialog or the drawer closes

  function openDialog(dialog) {
    if (dialog.matches(":modal")) return;
    if (!cameFrom?.isConnected) cameFrom = document.activeElement;
    dialog.removeAttribute("open"); // without scripts the server shows it open, not modal
    dialog.showModal();
    // What is asked first; else the button that goes on, unless it does harm.
    const first = ["[autofocus]", TYPING, ".dialog-foot [data-variant=primary]:enabled", ".dialog-foot .button"];
    first.map((selector) => dialog.querySelector(selector)).find(Boolean)?.focus();
  }

  function returnFocus() {
    const row = currentRow();
    if (cameFrom?.isConnected && cameFrom !== document.body) cameFrom.focus({ preventScroll: true });
    else row?.focus({ preventScroll: true });
    cameFrom = null;
  }

  function closeDrawer() {
    const drawer = document.querySelector("#drawer-root > *");
    if (!drawer) return false;
    drawer.remove();
    returnFocus();
    return true;
  }

  // A dialog that the server sends open becomes modal, and goes away when closed.
  function welcome() {
    for (const dialog of all("dialog[open]:not(:modal)")) {
      dialog.addEventListener("close", () => {
        dialog.remove();
        returnFocus();
      });
      openDialog(dialog);
    }
    const drawer = document.querySelector("#drawer-root > :not([data-welcomed])");
    if (drawer) {
      drawer.dataset.welcomed = "";
      cameFrom = document.activeElement;
      drawer.setAttribute("tabindex", "-1");
      drawer.focus({ preventScroll: true });
    }
  }

  // ---------------------------------------------------------------- rows

  const rows = () => all("tr[data-row], [data-row]:not(tr)").filter((row) => visible(row) && !row.closest(".drawer"));
  let currentId = "";

  const currentRow = () => (currentId ? document.querySelector(`[data-row="${CSS.escape(currentId)}"]`) : null);

  function markRow(row) {
    currentId = row ? row.dataset.row : "";
    for (const marked of all(".is-current[data-row]")) marked.classList.toggle("is-current", marked === row);
    row?.classList.add("is-current");
  }

  function moveRow(step) {
    const list = rows();
    if (!list.length) return false;
    const at = list.indexOf(currentRow());
    const next = list[at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + step, 0), list.length - 1)];
    next.setAttribute("tabindex", "-1");
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    markRow(next);
    return true;
  }

  // In an open menu the arrows go from item to item, and round.
  function moveInMenu(step) {
    const menu = document.activeElement?.closest("details[data-menu][open]");
    const items = menu ? all(".menu-item", menu) : [];
    if (!items.length) return false;
    const at = items.indexOf(document.activeElement);
    items[at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length].focus();
    return true;
  }

  function openRow() {
    const target = currentRow()?.querySelector("[data-open]") || currentRow()?.querySelector("a[href]");
    target?.click();
    return Boolean(target);
  }

  // ---------------------------------------------------------------- selection

  const chosen = new Map(); // list id → ids of chosen rows; survives the refresh of the table
  let lastBox = null;

  const listOf = (element) => element.closest("[data-selection]");
  const boxes = (list) => all("[data-row-select]", list);
  const chosenIn = (list) => {
    if (!chosen.has(list.id)) chosen.set(list.id, new Set());
    return chosen.get(list.id);
  };

  function showSelection(list) {
    const ids = chosenIn(list);
    const everything = list.querySelector("[data-select-all-field]");
    const whole = Boolean(everything?.value);
    const shown = boxes(list);
    for (const box of shown) box.checked = whole || ids.has(box.value);
    const page = list.querySelector("[data-select-page]");
    if (page) {
      const ticked = shown.filter((box) => box.checked).length;
      page.checked = shown.length > 0 && ticked === shown.length;
      page.indeterminate = ticked > 0 && ticked < shown.length;
    }
    for (const bar of all("[data-selection-bar]", list)) {
      bar.dataset.count = whole ? "all" : String(ids.size);
      const count = bar.querySelector("[data-selection-count]");
      if (count) count.textContent = whole ? bar.dataset.textAll : bar.dataset.textCount.replace("{n}", ids.size.toLocaleString());
    }
    keepFar(list, whole ? new Set() : ids, shown);
  }

  // Chosen rows of other pages travel as hidden fields, so that the form says what the bar says.
  function keepFar(list, ids, shown) {
    const here = new Set(shown.map((box) => box.value));
    for (const old of all("[data-far]", list)) old.remove();
    const name = shown[0]?.name || list.dataset.selection || "ids";
    for (const id of ids) {
      if (here.has(id)) continue;
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value: id });
      field.dataset.far = "";
      list.append(field);
    }
  }

  function choose(list, values, on) {
    const everything = list.querySelector("[data-select-all-field]");
    if (everything?.value) {
      everything.value = "";
      for (const box of boxes(list)) chosenIn(list).add(box.value);
    }
    for (const value of values) on ? chosenIn(list).add(value) : chosenIn(list).delete(value);
    showSelection(list);
  }

  function chooseRange(box) {
    const list = listOf(box);
    const shown = boxes(list);
    const from = shown.findIndex((other) => other.value === lastBox);
    const to = shown.indexOf(box);
    if (from < 0) return choose(list, [box.value], true);
    choose(list, shown.slice(Math.min(from, to), Math.max(from, to) + 1).map((other) => other.value), true);
  }

  function chooseAll(list, on) {
    const everything = list.querySelector("[data-select-all-field]");
    if (!everything) return choose(list, boxes(list).map((box) => box.value), on);
    everything.value = on ? "1" : "";
    if (!on) chosenIn(list).clear();
    showSelection(list);
  }

  function clearSelection() {
    const lists = all("[data-selection]").filter(
      (list) => chosenIn(list).size || list.querySelector("[data-select-all-field]")?.value,
    );
    for (const list of lists) chooseAll(list, false), chosenIn(list).clear(), showSelection(list);
    return lists.length > 0;
  }

  function chooseCurrent(range) {
    const box = currentRow()?.querySelector("[data-row-select]");
    if (!box) return false;
    if (range) chooseRange(box);
    else choose(listOf(box), [box.value], !box.checked);
    lastBox = box.value;
    return true;
  }

  // ---------------------------------------------------------------- keys

  const HIDDEN_BUT_READY = ".menu-item, [data-select-all]"; // their place is closed, their key works all the same
  let prefix = "";
  let prefixTimer = 0;

  function keyName(event) {
    const letter = event.key.length === 1 && /[a-z]/i.test(event.key);
    const base = letter ? event.key.toLowerCase() : event.key === " " ? "Space" : event.key;
    const shift = event.shiftKey && (letter || event.key.length > 1) ? "Shift+" : "";
    return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift}${base}`;
  }

  // The innermost place wins: dialog, drawer, the current row, the page. A row's keys count only for the current row.
  function declared(key) {
    const found = all(`[data-key="${CSS.escape(key)}"]`).filter((element) => {
      const row = element.closest("[data-row]");
      const reason = element.closest("[data-reason]");
      if (reason && reason !== currentReason(reason.parentElement)) return false;
      return !element.disabled && (!row || row === currentRow()) && (visible(element) || element.matches(HIDDEN_BUT_READY));
    });
    const modal = document.querySelector("dialog:modal");
    if (modal) return found.find((element) => modal.contains(element));
    return found.find((element) => element.closest("#drawer-root")) || found.find((element) => element.closest("[data-row]")) || found[0];
  }

  // Of several reasons that stop an order, the keys belong to one: the first, until "." goes on to the next.
  const currentReason = (list) => list.querySelector("[data-reason].is-current") || list.querySelector("[data-reason]");

  function nextReason() {
    const place = document.querySelector("#drawer-root > *") || document;
    const reasons = all("[data-reason]", place).filter(visible);
    if (!reasons.length) return false;
    const next = reasons[(reasons.indexOf(currentReason(reasons[0].parentElement)) + 1) % reasons.length];
    for (const reason of reasons) reason.classList.toggle("is-current", reason === next);
    next.setAttribute("tabindex", "-1");
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  // With nothing chosen, a key of the selection bar is meant for the row one stands on.
  function forCurrentRow(key) {
    const box = currentRow()?.querySelector("[data-row-select]");
    const list = box && listOf(box);
    if (!list || chosenIn(list).size || document.querySelector("dialog:modal, #drawer-root > *")) return false;
    const button = list.querySelector(`[data-selection-bar] [data-key="${CSS.escape(key)}"]`);
    if (!button || button.matches("[data-select-all]") || button.disabled) return false;
    choose(list, [box.value], true);
    return act(button);
  }

  function act(element) {
    if (element.matches(TYPING)) {
      element.focus();
      element.select?.();
    } else {
      element.click();
      if (element.matches("summary")) element.focus();
    }
    return true;
  }

  function builtIn(key) {
    if (document.querySelector("dialog:modal")) return false;
    const onControl = document.activeElement?.matches("a[href], button, summary, input");
    switch (key) {
      case "j": return moveRow(1);
      case "k": return moveRow(-1);
      case "ArrowDown": return moveInMenu(1) || (currentRow() ? moveRow(1) : false);
      case "ArrowUp": return moveInMenu(-1) || (currentRow() ? moveRow(-1) : false);
      case ".": return nextReason();
      case "x": return chooseCurrent(false);
      case "Shift+x": return chooseCurrent(true);
      case "o": return openRow();
      case "Enter": return onControl ? false : openRow();
      case "?": return openHelp();
      default: return false;
    }
  }

  function escape(event) {
    const open = document.querySelector("details[data-menu][open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
      return true;
    }
    if (document.querySelector("dialog:modal")) return false; // the browser closes it
    if (event.target.matches?.(TYPING)) {
      event.target.blur();
      return true;
    }
    return closeDrawer() || clearSelection();
  }

  function onKey(event) {
    // While the input method composes, every key belongs to it (229: browsers that do not say isComposing).
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    const key = keyName(event);
    if (key === "Escape") {
      if (escape(event)) event.preventDefault();
      return;
    }
    const combined = /^(Ctrl|Alt)\+/.test(key);
    if (event.target.matches?.(TYPING) && !combined) return;
    if (pressed(prefix ? `${prefix} ${key}` : key, combined)) event.preventDefault();
  }

  function pressed(key, combined) {
    clearTimeout(prefixTimer);
    prefix = "";
    if (forCurrentRow(key)) return true;
    const element = declared(key);
    if (element) return act(element);
    if (combined) return false;
    if (builtIn(key)) return true;
    if (!key.includes(" ") && all(`[data-key^="${CSS.escape(key)} "]`).length) {
      prefix = key;
      prefixTimer = setTimeout(() => (prefix = ""), 1200);
      return true;
    }
    return false;
  }

  function openHelp() {
    const dialog = document.getElementById("key-help");
    const list = dialog?.querySelector("[data-key-list]");
    if (!list) return false;
    const known = new Map(JSON.parse(list.dataset.keyList || "[]"));
    if (!rows().length) for (const key of ["j", "k", "x", "Shift+x", "Enter", "o"]) known.delete(key);
    if (all("[data-reason]").filter(visible).length < 2) known.delete(".");
    const ready = rows().length ? `${HIDDEN_BUT_READY}, [data-selection-bar] [data-key]` : HIDDEN_BUT_READY;
    for (const element of all("[data-key]")) {
      const label = element.dataset.keyLabel || element.getAttribute("aria-label") || element.textContent.trim();
      if (visible(element) || element.matches(ready)) known.set(element.dataset.key, label);
    }
    list.replaceChildren(...[...known].map(helpLine));
    openDialog(dialog);
    return true;
  }

  function helpLine([key, label]) {
    const line = document.createElement("div");
    const term = document.createElement("dt");
    for (const part of key.split(" ")) {
      const cap = document.createElement("kbd");
      cap.textContent = part;
      term.append(cap, " ");
    }
    const meaning = document.createElement("dd");
    meaning.textContent = label;
    line.append(term, meaning);
    return line;
  }

  // ---------------------------------------------------------------- theme

  function showTheme() {
    for (const group of all("[data-theme-switch]")) {
      group.hidden = false;
      for (const button of all("[data-theme-value]", group)) {
        button.setAttribute("aria-pressed", String(button.dataset.themeValue === root.dataset.theme));
      }
    }
  }

  function setTheme(value) {
    root.dataset.theme = value;
    try {
      localStorage.setItem("theme", value);
    } catch {
      // storage is switched off: the choice holds for this page
    }
    showTheme();
  }

  // ---------------------------------------------------------------- clicks and changes

  function onClick(event) {
    const hit = (selector) => event.target.closest(selector);
    let element;
    if ((element = hit("[data-dismiss]"))) element.closest("[data-toast]")?.remove();
    else if ((element = hit("[data-theme-value]"))) setTheme(element.dataset.themeValue);
    else if ((element = hit("[data-open-dialog]"))) openDialog(document.getElementById(element.dataset.openDialog));
    else if ((element = hit("[data-close-dialog]"))) element.closest("dialog")?.close();
    else if (hit("[data-close-drawer]") && closeDrawer()) event.preventDefault();
    else if ((element = hit("[data-key='?']")) && openHelp()) event.preventDefault();
    else if ((element = hit("[data-copy]"))) copy(element);
    else if (hit("[data-print]")) window.print();
    else if ((element = hit("[data-select-all]"))) chooseAll(listOf(element), true);
    else if ((element = hit("[data-select-none]"))) clearSelection();
    if (event.target.matches?.("dialog:modal[data-light-dismiss]")) event.target.close();
    if (event.target.matches?.("[data-row-select]")) onBox(event);
    markTouched(event);
    for (const menu of all("details[data-menu][open]")) {
      const taken = menu.contains(event.target) && hit(".bar-menu .menu-item");
      if (taken) menu.querySelector("summary").focus({ preventScroll: true }); // where one returns from the dialog
      if (taken || !menu.contains(event.target)) menu.open = false;
    }
  }

  function onBox(event) {
    const box = event.target;
    const on = box.checked;
    if (event.shiftKey && on) chooseRange(box);
    else choose(listOf(box), [box.value], on);
    lastBox = box.value;
  }

  function markTouched(event) {
    const row = event.target.closest?.("[data-row]");
    if (row && !row.closest(".drawer")) markRow(row);
  }

  async function copy(element) {
    try {
      await navigator.clipboard.writeText(element.dataset.copy);
      toast(text("Copied"), "success");
    } catch {
      toast(element.dataset.copy, "info"); // no clipboard over plain http: at least it can be read and marked
    }
  }

  function onChange(event) {
    if (event.target.matches("[data-select-page]")) {
      const list = listOf(event.target);
      choose(list, boxes(list).map((box) => box.value), event.target.checked);
    }
    if (event.target.matches("[data-submit-on-change]")) event.target.form?.requestSubmit();
  }

  // ---------------------------------------------------------------- htmx

  // A hidden window does not poll; it catches up when it is seen again.
  function beforeRequest(event) {
    const element = event.detail.elt;
    if (document.hidden && element.matches("[data-live]") && event.detail.requestConfig?.verb === "get") event.preventDefault();
    else busy(element, true);
  }

  // What a page asks by itself is marked: it keeps nobody signed in on a store's device.
  function markLive(event) {
    if (event.detail.elt.matches("[data-live], [hx-trigger*='every ']")) event.detail.headers["X-Live"] = "1";
  }

  function busy(element, on) {
    const form = element.closest?.("form");
    if (!form || (element !== form && !element.matches("button"))) return;
    for (const button of all("button:not([type=button])", form)) {
      if (on && !button.disabled) {
        button.disabled = true;
        button.dataset.busy = "";
      } else if (!on && button.dataset.busy !== undefined) {
        button.disabled = false;
        delete button.dataset.busy;
      }
    }
  }

  function failed(event) {
    const status = event.detail.xhr?.status;
    if (event.detail.elt?.matches?.("[data-live]") && status !== 403) return; // the next poll tries again
    toast(text(status === 403 ? "Forbidden" : status === 404 ? "Missing" : "Error"), "error");
  }

  // The server says what is chosen now: what a bulk action could not do stays so, the rest is let go.
  function chooseAnew() {
    for (const mark of all("[data-choose]:not([data-chosen])")) {
      const list = mark.closest("[data-selection]") || document.querySelector("[data-selection]");
      mark.dataset.chosen = "";
      if (!list) continue;
      chooseAll(list, false);
      choose(list, mark.dataset.choose.split(" ").filter(Boolean), true);
    }
  }

  function settled() {
    watchToasts();
    chooseAnew();
    for (const list of all("[data-selection]")) showSelection(list);
    const row = currentRow();
    if (row) {
      markRow(row);
      if (document.activeElement === document.body) {
        row.setAttribute("tabindex", "-1");
        row.focus({ preventScroll: true });
      }
    }
    showTheme();
    welcome();
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChange);
  document.addEventListener("focusin", markTouched);
  document.addEventListener("htmx:configRequest", markLive);
  document.addEventListener("htmx:beforeRequest", beforeRequest);
  document.addEventListener("htmx:afterRequest", (event) => busy(event.detail.elt, false));
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", (event) => event.detail.elt?.matches?.("[data-live]") || toast(text("Offline"), "error"));
  document.addEventListener("htmx:afterSwap", welcome); // before the settling: an Escape pressed now must already count
  document.addEventListener("htmx:afterSettle", settled);
  document.addEventListener("htmx:oobAfterSwap", settled);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && window.htmx) for (const element of all("[data-live]")) window.htmx.trigger(element, "seen");
  });

  settled();
})();
