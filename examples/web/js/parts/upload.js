// Pictures on their way to the service: a button, how far it is, and what was refused.
import { Problem, remove, upload } from "../api.js";
import { h, icon } from "../dom.js";
import { complain } from "../toast.js";

const TYPES = "image/png,image/jpeg,image/gif,image/webp";

/**
 * Upload one picture that everybody can see, and show how far it is.
 * @param {File} file
 * @param {HTMLElement} place where the progress appears
 * @returns {Promise<{id: number, name: string, url: string}|null>} null if it was refused or cancelled
 */
export async function uploadPicture(file, place) {
  const stop = new AbortController();
  const bar = h("progress", { max: 100, value: 0, "aria-label": `Uploading ${file.name}` });
  const line = h("div.progress", {}, h("span", {}, file.name), bar,
    h("button.plain", { type: "button", onclick: () => stop.abort() }, "Cancel"));
  place.append(line);
  try {
    const tell = (share) => (bar.value = Math.round(share * 100));
    const made = uploaded(await upload([file], { visibility: "public" }, tell, stop.signal));
    return made.width === null ? await refuse(made) : made;
  } catch (problem) {
    complain(problem);
    return null;
  } finally {
    line.remove();
  }
}

/** Return the file of an answer, or throw its own problem: 207 lists both kinds. */
function uploaded(answer) {
  const item = (answer.items ?? answer)[0];
  if (item.problem) throw new Problem(item.problem);
  return item.data ?? item;
}

/** Whatever it was called: no picture, so it is not kept. */
async function refuse({ id, name }) {
  await remove(`/files/${id}`);
  throw new Problem({ code: "validation", detail: `${name} is not a picture.` });
}

/**
 * A button that has a picture chosen and uploads it.
 * @param {string} label
 * @param {(file: {id: number, name: string, url: string}) => unknown} done
 */
export function pictureButton(label, done, look = "button.quiet") {
  const input = h("input", { type: "file", accept: TYPES, hidden: true, tabindex: "-1" });
  const box = h("div.picture-button", {});
  const button = h(`button.${look}`, { type: "button", onclick: () => input.click() }, icon("picture"), label);
  input.addEventListener("change", async () => {
    const [file] = input.files;
    input.value = "";
    const made = file && (await uploadPicture(file, box));
    if (made) await done(made);
  });
  box.append(button, input);
  return box;
}
