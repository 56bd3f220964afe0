// Starts Swagger UI on the page of api/templates/docs.html. Tokens stay in memory.
"use strict";

const place = document.getElementById("console");

window.SwaggerUIBundle({
  url: place.dataset.spec,
  domNode: place,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
});
