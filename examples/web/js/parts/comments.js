// The comments of a post as threads. A comment that is gone leaves a gap, so that its replies make sense.
import * as api from "../api.js";
import { fill, h } from "../dom.js";
import { count } from "../format.js";
import { field, form } from "../forms.js";
import * as session from "../session.js";
import { removeWithUndo } from "./deletion.js";
import { byline } from "./people.js";

const PAGE = 100;

/**
 * Draw the comments of a post, and a form for a new one.
 * @returns {Promise<HTMLElement>}
 */
export async function comments(post, signal) {
  const path = `/posts/${post.id}/comments`;
  const known = new Map();
  const threads = h("div.threads");
  const heading = h("h2", { id: "comments", tabindex: "-1" });
  const more = h("button.button.quiet", { type: "button", onclick: () => read() }, "Show more comments");
  let cursor = null;
  let total = post.comments_count;

  async function read() {
    const { data } = await api.get(path, { limit: PAGE, cursor }, { signal });
    data.items.forEach((each) => known.set(each.id, each));
    cursor = data.next;
    draw();
  }

  function draw() {
    fill(heading, total ? count(total, "comment") : "No comments yet");
    more.hidden = cursor === null;
    fill(threads, list(thread(known), actions));
  }

  const actions = {
    async reply(parent, body) {
      const { data } = await api.post(path, { body, ...(parent ? { parent_id: parent.id } : {}) });
      put(data, 1);
    },
    async edit(comment, body) {
      const { data } = await api.patch(`/comments/${comment.id}`, { body }, `"${comment.version}"`);
      put(data, 0);
    },
    async remove(comment) {
      const isGone = await removeWithUndo(`/comments/${comment.id}`, "The comment", (back) => put(back, 1));
      if (!isGone) return;
      known.delete(comment.id);
      total -= 1;
      draw();
      heading.focus();
    },
  };

  function put(comment, change) {
    known.set(comment.id, comment);
    total += change;
    draw();
    threads.querySelector(`[data-comment="${comment.id}"]`)?.focus();
  }

  await read();
  return h("section.comments", { "aria-labelledby": "comments" }, heading, writing(actions), threads,
    h("div.more", {}, more));
}

/** Return the roots, each `{comment, parentId, replies}`; what is missing in between is a gap without a comment. */
function thread(known) {
  const nodes = new Map();
  const node = (id) => {
    if (!nodes.has(id)) nodes.set(id, { comment: known.get(id) ?? null, replies: [] });
    return nodes.get(id);
  };
  const roots = new Set();
  for (const comment of [...known.values()].sort((a, b) => a.id - b.id)) {
    const mine = node(comment.id);
    if (comment.parent_id === null) roots.add(mine);
    else {
      const parent = node(comment.parent_id);
      parent.replies.push(mine);
      if (!parent.comment) roots.add(parent);
    }
  }
  return [...roots];
}

function list(nodes, actions) {
  if (!nodes.length) return null;
  return h("ul.thread", { role: "list" }, nodes.map(({ comment, replies }) =>
    h("li", {}, comment ? one(comment, actions) : h("p.gap", {}, "This comment was deleted."),
      list(replies, actions))));
}

function one(comment, actions) {
  const box = h("article.comment", { tabindex: "-1", "data-comment": comment.id,
    "aria-label": `Comment by ${comment.author.username}` });
  const isMine = session.me?.id === comment.author.id;
  const isEdited = comment.updated_at !== comment.created_at;
  const button = (label, onclick) => h("button.plain", { type: "button", onclick }, label);
  const draw = () => fill(box, byline(comment.author, comment.created_at, isEdited ? "edited" : null),
    h("p.comment-text", {}, comment.body),
    h("div.comment-foot", {},
      session.isSignedIn() ? button("Reply", () => answer()) : null,
      isMine || session.mayEditAll() ? button("Edit", () => edit()) : null,
      isMine || session.mayEditAll() ? button("Delete", () => actions.remove(comment)) : null));
  const answer = () => {
    if (box.querySelector("form")) return;
    open(box, box.lastChild, "Your reply", "Reply", "", (body) => actions.reply(comment, body), draw);
  };
  const edit = () => {
    const text = box.querySelector(".comment-text");
    box.querySelector(".comment-foot").remove();
    open(box, text, "Your comment", "Save", comment.body, (body) => actions.edit(comment, body), draw);
    text.remove();
  };
  draw();
  return box;
}

/** Put a form after something; Escape or "Cancel" takes it away. */
function open(box, place, label, button, value, submit, draw) {
  const close = () => (draw(), box.focus());
  const made = entry(label, button, value, submit);
  made.querySelector(".buttons").append(h("button.button.quiet", { type: "button", onclick: close }, "Cancel"));
  made.addEventListener("keydown", (event) => event.key === "Escape" && close());
  place.after(made);
  made.querySelector("textarea").focus();
}

function entry(label, button, value, submit) {
  const made = field("body", label, { kind: "textarea", rows: 3, maxlength: 5000, value });
  return form([made], button, async ({ body }) => {
    await submit(body);
    made.control.value = "";
  });
}

/** The form for a comment on the post itself. */
function writing(actions) {
  if (session.isSignedIn()) return entry("Write a comment", "Comment", "", (body) => actions.reply(null, body));
  const then = encodeURIComponent(location.hash.slice(1));
  return h("p.soft", {}, h("a", { href: `#/sign-in?then=${then}` }, "Sign in"), " to write a comment.");
}
