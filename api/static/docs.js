// Starts Swagger UI on the page of api/templates/docs.html. Tokens stay in memory.
"use strict";

const place = document.getElementById("console");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function followScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

followScheme();
dark.addEventListener("change", followScheme);
window.SwaggerUIBundle({
  url: place.dataset.spec,
  domNode: place,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
  syntaxHighlight: { theme: "tomorrow-night" },
  plugins: [offers, plain], // of offers.js and access.js
});
mendAccess(place);
