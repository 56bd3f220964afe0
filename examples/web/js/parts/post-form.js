// The fields of a post as a form: what is shown, what of it changed, and what the API is to be told.
import { fill, h } from "../dom.js";
import { field } from "../forms.js";
import { cover } from "./card.js";
import { editor } from "./editor.js";
import { pictureButton } from "./upload.js";

const EMPTY = { title: "", body: "", tags: "", excerpt: "", slug: "", published_at: "", cover_id: "" };

/** Return a post's fields as texts, as they stand in the form. */
export function textsOf(post) {
  if (!post) return { ...EMPTY };
  return {
    title: post.title,
    body: post.body,
    tags: post.tags.join(", "),
    excerpt: post.excerpt,
    slug: post.slug,
    published_at: localTime(post.published_at),
    cover_id: String(post.cover_id ?? ""),
  };
}

/** Return what changed, as the API takes it. */
export function changesOf(texts, base) {
  const changed = Object.keys(texts).filter((name) => texts[name] !== base[name]);
  return Object.fromEntries(changed.map((name) => [name, valueOf(name, texts[name])]));
}

/**
 * Make the form's fields.
 * @param {any} post null for a new one
 * @returns {{node: HTMLElement, read: () => Record<string, string>, write: (texts: Record<string, string>) => void}}
 */
export function postFields(post) {
  const written = editor();
  const fields = {
    title: field("title", "Title", { maxlength: 200, autocomplete: "off", class: "title-input" }),
    tags: field("tags", "Tags", { hint: "Up to 20, with commas between them.", autocomplete: "off" }),
    excerpt: field("excerpt", "Summary", { kind: "textarea", rows: 2, maxlength: 500, hint: "Made from the text if empty." }),
    slug: field("slug", "Address", { autocomplete: "off", hint: "Made from the title if empty." }),
    published_at: field("published_at", "Publish at", { type: "datetime-local", hint: "In the future: it appears by itself." }),
  };
  const coverField = coverChoice(post);
  const node = h("div", {}, fields.title, written.node,
    h("div.beside", {}, fields.tags, coverField.node),
    h("details.more-fields", {}, h("summary", {}, "Summary, address, time"),
      fields.excerpt, fields.slug, fields.published_at));
  const controls = { body: written.text, cover_id: coverField.input };
  for (const [name, box] of Object.entries(fields)) controls[name] = box.control;
  return {
    node,
    read: () => Object.fromEntries(Object.keys(EMPTY).map((name) => [name, controls[name].value])),
    write(texts) {
      for (const name of Object.keys(EMPTY)) controls[name].value = texts[name] ?? "";
      written.show();
      coverField.show();
    },
  };
}

function coverChoice(post) {
  const input = h("input", { type: "hidden", name: "cover_id" });
  const urls = new Map(post?.cover_id ? [[String(post.cover_id), post.cover_url]] : []);
  const place = h("div.cover-choice");
  const set = (id) => {
    input.value = id;
    show();
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const choose = pictureButton("Choose a cover", (file) => {
    urls.set(String(file.id), file.url);
    set(String(file.id));
  });
  const show = () => fill(place, urls.has(input.value) ? cover({ cover_url: urls.get(input.value) }, "cover-small", 256) : null,
    choose, input.value ? h("button.plain", { type: "button", onclick: () => set("") }, "No cover") : null);
  show();
  const node = h("div.field", { "data-field": "cover_id", role: "group", "aria-label": "Cover" },
    h("span.label", {}, "Cover"), input, place, h("p.fault", { hidden: true }));
  return { node, input, show };
}

function valueOf(name, text) {
  if (name === "tags") return text.split(",").map((each) => each.trim()).filter(Boolean);
  if (name === "cover_id") return text ? Number(text) : null;
  if (name === "published_at") return text ? new Date(text).toISOString() : null;
  // Empty: the service makes it.
  return text.trim() || (name === "title" || name === "body" ? text : null);
}

/** A time as <input type="datetime-local"> wants it. */
function localTime(time) {
  if (!time) return "";
  const date = new Date(time);
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
