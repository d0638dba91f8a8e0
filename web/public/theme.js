// Before the first paint, so that a chosen theme does not flash. A file of its own: the policy allows no inline scripts.
try {
  const theme = localStorage.getItem("antiphon.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is switched off: follow the system.
}
