// What one has deleted: to bring back, or to remove for good.
import { remove } from "../api.js";
import { h } from "../dom.js";
import { busy } from "../forms.js";
import { count, moment, when } from "../format.js";
import { confirm } from "../dialog.js";
import { paged } from "../paging.js";
import { restore } from "../parts/deletion.js";
import { emptiness, signInFirst } from "../parts/states.js";
import * as session from "../session.js";
import { complain, toast } from "../toast.js";

const WORDS = { posts: "Post", comments: "Comment", users: "User", files: "File" };

/** List what may be brought back. */
export async function trash({ signal, path }) {
  if (!session.isSignedIn()) return signInFirst(path);
  const empty = emptiness("The trash is empty", "What you delete waits here until you bring it back or remove it.");
  const list = await paged("/trash", {}, { draw: row, empty, tag: "ul.rows", signal });
  return { title: "Trash", node: h("div.page", {}, h("h1", {}, "Trash"), list) };
}

function row(item) {
  const path = `/trash/${item.type}/${item.id}`;
  const what = WORDS[item.type] ?? item.type;
  const about = [what, item.children_count ? `with ${count(item.children_count, "item")} of its own` : null]
    .filter(Boolean).join(" ");
  const made = h("li", {}, h("div.row-text", {}, h("strong", {}, item.title), h("p.soft", {}, `${about}, deleted `,
    h("time", { datetime: item.deleted_at, title: moment(item.deleted_at) }, when(item.deleted_at)))));
  const leave = () => {
    const next = made.nextElementSibling ?? made.previousElementSibling;
    (next?.querySelector("button") ?? document.querySelector("main h1")).focus();
    if (next) return made.remove();
    return made.parentElement.replaceWith(h("p.soft", { role: "status" }, "Nothing is left in the trash."));
  };
  const back = (event) => busy(event.currentTarget, () => restore(`${path}/restoration`, `“${item.title}”`, leave));
  const purge = async () => {
    const text = `“${item.title}” and its history are removed. This cannot be undone.`;
    if (!(await confirm("Remove it for good?", text, "Remove for good"))) return;
    await remove(path).then(() => (leave(), toast("It is gone for good.")), complain);
  };
  const named = () => h("span.hidden", {}, item.title);
  made.append(h("div.buttons", {},
    h("button.button.quiet", { type: "button", onclick: back }, "Restore", named()),
    h("button.plain.danger", { type: "button", onclick: purge }, "Remove for good", named())));
  return made;
}
