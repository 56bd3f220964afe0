// Short messages at the edge of the page, read out by screen readers; one may have an action, as undo.
import { h } from "./dom.js";

/** How long a message stays, in milliseconds; one with an action longer. It waits while it is looked at. */
const STAY = 5_000;
const STAY_WITH_ACTION = 12_000;

/**
 * Show a message.
 * @param {string} text
 * @param {{label: string, run: () => unknown}} [action]
 */
export function toast(text, action) {
  const box = h("div.toast", {}, h("span", {}, text));
  const close = () => box.remove();
  if (action) {
    const press = () => (close(), action.run());
    box.append(h("button.toast-action", { type: "button", onclick: press }, action.label));
  }
  box.append(h("button.toast-close", { type: "button", "aria-label": "Dismiss", onclick: close }, "×"));
  document.getElementById("toasts").append(box);
  leaveLater(box, action ? STAY_WITH_ACTION : STAY);
}

/** Say what went wrong. */
export function complain(problem) {
  if (problem.name !== "AbortError") toast(problem.message);
}

function leaveLater(box, milliseconds) {
  setTimeout(() => {
    if (box.matches(":hover, :focus-within")) leaveLater(box, milliseconds);
    else box.remove();
  }, milliseconds);
}
