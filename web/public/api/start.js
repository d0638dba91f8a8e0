// The API's documentation, drawn from what this very server says of itself. Everything is relative to where it is mounted.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => {
  const chosen = document.documentElement.dataset.theme;
  document.documentElement.classList.toggle("dark-mode", chosen === undefined ? dark.matches : chosen === "dark");
};
follow();
dark.addEventListener("change", follow);

window.SwaggerUIBundle({
  url: new URL("../openapi.json", location.href).href,
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1, // bodies are shown where they are used
  tryItOutEnabled: true,
  validatorUrl: null, // asks nobody else
});
