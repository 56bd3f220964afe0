// Forms: labelled fields, faults at the fields they belong to, one submission at a time.
import { Problem } from "./api.js";
import { fill, freshId, h } from "./dom.js";

/**
 * Make a labelled control.
 * @param {string} name as the API calls it
 * @param {string} label
 * @param {Record<string, unknown>} [props] of the control; `control` is one that is made already
 * @returns {HTMLElement} with `.control`
 */
export function field(name, label, { hint, kind = "input", control, ...props } = {}) {
  const id = freshId(name);
  const made = control ?? h(kind, { name, ...props });
  made.id = id;
  const parts = [h("label", { for: id }, label), made];
  const hints = [];
  if (hint) {
    parts.push(h("p.hint", { id: `${id}-hint` }, hint));
    hints.push(`${id}-hint`);
  }
  parts.push(h("p.fault", { id: `${id}-fault`, hidden: true }));
  made.setAttribute("aria-describedby", [...hints, `${id}-fault`].join(" "));
  const box = h("div.field", { "data-field": name }, parts);
  box.control = made;
  return box;
}

/**
 * Make a form that shows what is refused.
 * @param {Node[]} content
 * @param {string} label of its button
 * @param {(data: Record<string, string>) => Promise<unknown>} submit
 */
export function form(content, label, submit) {
  const button = h("button.button", { type: "submit" }, label);
  const summary = h("p.summary", { role: "alert" });
  const made = h("form.form", { novalidate: true }, summary, content, h("div.buttons", {}, button));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    await busy(button, () => attempt(made, summary, () => submit(values(made))));
  });
  return made;
}

/** Return what was typed, by name. */
export function values(element) {
  const named = element.querySelectorAll("input[name], textarea[name], select[name]");
  return Object.fromEntries([...named].map((each) => [each.name, each.value]));
}

/** Keep a button from being pressed twice, and say that it is at work. */
export async function busy(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return undefined;
  button.setAttribute("aria-disabled", "true");
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** Do it, and show what is refused: at its field if it has one in this form, else in the summary. */
export async function attempt(element, summary, work) {
  showFaults(element, summary, []);
  try {
    return await work();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    showFaults(element, summary, problem.errors, problem);
    return undefined;
  }
}

function showFaults(element, summary, errors, problem) {
  const left = [...errors];
  const wrong = [];
  for (const box of element.querySelectorAll("[data-field]")) {
    const name = box.dataset.field;
    const mine = errors.filter((each) => each.field === name || each.field.startsWith(`${name}.`));
    mine.forEach((each) => left.splice(left.indexOf(each), 1));
    mark(box, mine);
    if (mine.length) wrong.push(box);
  }
  wrong.forEach((box) => box.closest("details")?.setAttribute("open", ""));
  wrong[0]?.querySelector("input, textarea, select")?.focus();
  const said = left.length ? left.map((each) => `${each.field}: ${each.message}`).join(" ") : null;
  fill(summary, said ?? (problem && !wrong.length ? problem.message : null));
}

function mark(box, errors) {
  const note = box.querySelector(".fault");
  fill(note, errors.map((each) => each.message).join(" "));
  note.hidden = !errors.length;
  const control = box.querySelector("input, textarea, select");
  if (errors.length) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}
