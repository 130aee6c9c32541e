// Before the first paint: the remembered theme, and the sign that scripts run.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    root.dataset.theme = localStorage.getItem("theme") || "auto";
  } catch {
    root.dataset.theme = "auto"; // storage is switched off; the system decides
  }
})();
