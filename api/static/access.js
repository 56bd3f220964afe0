// Makes Swagger UI usable by keyboard and screen reader where it is not by itself. Used by docs.js.
"use strict";

/** A plugin that leaves out what only disturbs here. */
function plain({ React }) {
  // There is one server, this one.
  const nothing = () => () => null;
  // In the button that opens an operation another link could not be reached.
  const text = (Original) => (props) =>
    props.path?.includes("/")
      ? React.createElement("span", { className: "nostyle" }, props.text)
      : React.createElement(Original, props);
  return { wrapComponents: { ServersContainer: nothing, DeepLink: text } };
}

/** What is wrong → how it is mended; run whenever something appears. */
const MENDS = [
  [".information-container", { role: "region", "aria-label": "About" }],
  [".scheme-container", { role: "region", "aria-label": "Sign in" }],
  ["section.models", { role: "region", "aria-label": "Schemas" }],
  ["h3.opblock-tag", { "aria-level": "2" }],
  [".modal-ux-header h3", { "aria-level": "2" }],
  ["h4", { "aria-level": "3" }],
  ["h5", { "aria-level": "4" }],
  [".close-modal", { "aria-label": "Close" }],
  [".examples-select select", { "aria-label": "Example" }],
  [".body-param__text", { "aria-label": "Request body" }],
  [".microlight, .curl, .table-container", { tabindex: "0" }],
  ["tr[data-param-name] select", { "aria-label": ({ parentNode }) => nameOf(parentNode) }],
  // As a region it would be no table any more.
  [".responses-table", { role: null }],
  ["#oauth_username", { autocomplete: "username" }],
  ["#oauth_password", { autocomplete: "current-password" }],
  // Its name is what can be read on it.
  [".auth-btn-wrapper button.authorize", { "aria-label": null }],
];

function nameOf(cell) {
  return cell.closest("tr").dataset.paramName;
}

function mendAccess(place) {
  let waiting = 0;
  const mend = () => {
    waiting = 0;
    MENDS.forEach(([selector, attributes]) => put(place, selector, attributes));
  };
  const soon = () => (waiting ||= requestAnimationFrame(mend));
  new MutationObserver(soon).observe(place, { childList: true, subtree: true });
}

function put(place, selector, attributes) {
  for (const element of place.querySelectorAll(selector)) {
    for (const [name, given] of Object.entries(attributes)) {
      const value = typeof given === "function" ? given(element) : given;
      if (value === null) {
        element.removeAttribute(name);
      } else if (element.getAttribute(name) !== value) {
        element.setAttribute(name, value);
      }
    }
  }
}
