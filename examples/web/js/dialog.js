// Questions that have to be answered first. <dialog> keeps the focus within and gives it back.
import { freshId, h } from "./dom.js";

/**
 * Ask whether to do what cannot be undone.
 * @returns {Promise<boolean>}
 */
export async function confirm(title, text, label) {
  return (await open(title, [h("p", {}, text)], [["cancel", "Cancel", ""], ["yes", label, "danger"]])) === "yes";
}

/**
 * Show a dialog until one of its buttons is pressed.
 * @param {string} title
 * @param {Node[]} content
 * @param {Array<[string, string, string]>} buttons value, label and class of each
 * @param {string} [kind] a class
 * @returns {Promise<string>} the value of the button; "" when it was closed by Escape
 */
export function open(title, content, buttons, kind = "") {
  const id = freshId("dialog");
  const form = h("form", { method: "dialog" }, h("h2", { id }, title), content, h("div.buttons", {},
    buttons.map(([value, label, look]) =>
      h(`button.button${look ? `.${look}` : ".quiet"}`, { value, type: "submit" }, label))));
  const dialog = h("dialog", { class: `dialog ${kind}`, "aria-labelledby": id }, form);
  // The policy forbids forms to be sent, as this one never is; so the button closes it itself.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close(event.submitter?.value ?? "");
  });
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      done(dialog.returnValue);
    });
  });
}
