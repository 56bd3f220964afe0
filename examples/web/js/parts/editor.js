// Where Markdown is written: a toolbar, the text, and what it is going to look like.
import { fill, freshId, h, icon } from "../dom.js";
import { fromMarkdown } from "../markup.js";
import { pictureButton, uploadPicture } from "./upload.js";

/** How long after the last key the preview follows, in milliseconds. */
const PAUSE = 150;

const MARKS = [
  ["bold", "Bold", "**", "**", "b"],
  ["italic", "Italic", "*", "*", "i"],
  ["link", "Link", "[", "](https://)", "k"],
  ["heading", "Heading", "\n## ", "\n"],
  ["list", "List", "\n- ", "\n"],
  ["quote", "Quote", "\n> ", "\n"],
  ["code", "Code", "`", "`"],
];

/**
 * Make an editor; it fires `input` like a text field.
 * @returns {{node: HTMLElement, text: HTMLTextAreaElement, show: () => void}} `show` draws the preview anew
 */
export function editor() {
  const text = h("textarea.editor-text", { name: "body", rows: 18, maxlength: 100_000, spellcheck: "true",
    placeholder: "Write in Markdown. Pictures can be dropped or pasted here." });
  const previewId = freshId("preview");
  const preview = h("section.preview.prose", { id: previewId, "aria-label": "Preview", tabindex: "0" });
  const uploads = h("div.uploads");
  const panes = h("div.panes", {}, h("div.pane", {}, labelled(text), uploads), preview);
  const show = () => fill(preview, text.value.trim() ? fromMarkdown(text.value) : h("p.soft", {}, "What it is going to look like appears here."));
  let timer;
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  });
  const add = (file) => insertPicture(text, file);
  acceptPictures(text, uploads, add);
  const node = h("div.editor", {}, toolbar(text, add, panes, previewId), panes);
  return { node, text, show };
}

function labelled(text) {
  text.id = freshId("body");
  return h("div.field", { "data-field": "body" }, h("label.hidden", { for: text.id }, "Text"), text,
    h("p.fault", { hidden: true }));
}

function toolbar(text, add, panes, previewId) {
  const wrap = (before, after) => () => surround(text, before, after);
  const toggle = h("button.plain.preview-toggle", { type: "button", "aria-pressed": "false", "aria-controls": previewId },
    "Preview");
  toggle.addEventListener("click", () => {
    const isOn = panes.classList.toggle("shows-preview");
    toggle.setAttribute("aria-pressed", String(isOn));
  });
  text.addEventListener("keydown", (event) => {
    const mark = (event.ctrlKey || event.metaKey) && MARKS.find((each) => each[4] === event.key);
    if (!mark) return;
    event.preventDefault();
    surround(text, mark[2], mark[3]);
  });
  return h("div.toolbar", { role: "group", "aria-label": "Formatting" },
    MARKS.map(([name, label, before, after, key]) => h("button.tool", { type: "button", "aria-label": label,
      title: key ? `${label} (Ctrl+${key.toUpperCase()})` : label, onclick: wrap(before, after) }, icon(name))),
    pictureButton("Picture", add, "plain"), toggle);
}

/** Put marks around what is selected; `insertText` keeps the browser's own undo. */
function surround(text, before, after) {
  const { selectionStart: start, selectionEnd: end, value } = text;
  const isAtStart = start === 0 || value[start - 1] === "\n";
  const first = before.startsWith("\n") && isAtStart ? before.slice(1) : before;
  insert(text, first + value.slice(start, end) + after);
  text.setSelectionRange(start + first.length, end + first.length);
}

function insertPicture(text, file) {
  const alt = file.name.replace(/\.[^.]+$/, "").replace(/[[\]\\]/g, " ");
  insert(text, `![${alt}](${file.url})\n`);
}

function insert(text, addition) {
  text.focus();
  if (document.execCommand("insertText", false, addition)) return;
  text.setRangeText(addition, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

function acceptPictures(text, uploads, add) {
  const take = async (event, list) => {
    const pictures = [...(list ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!pictures.length) return;
    event.preventDefault();
    for (const picture of pictures) {
      const file = await uploadPicture(picture, uploads);
      if (file) add(file);
    }
  };
  text.addEventListener("paste", (event) => take(event, event.clipboardData?.files));
  text.addEventListener("drop", (event) => take(event, event.dataTransfer?.files));
}
