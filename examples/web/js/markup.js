// HTML and Markdown as nodes, cleaned whoever made them: nothing gets in by innerHTML.
import { marked } from "../vendor/marked.js";
import DOMPurify from "../vendor/purify.js";
import { API, resolve } from "./config.js";
import { h } from "./dom.js";

const SAFE = {
  RETURN_DOM_FRAGMENT: true,
  USE_PROFILES: { html: true },
  FORBID_TAGS: ["style", "form", "input", "button", "select", "textarea", "audio", "video", "source"],
  FORBID_ATTR: ["style", "class", "id", "name", "srcset"],
};
const MARKS = { RETURN_DOM_FRAGMENT: true, ALLOWED_TAGS: ["mark"], ALLOWED_ATTR: [] };

/** Return a post's rendered HTML as nodes. The service has cleaned it already. */
export function fromHtml(html) {
  return mended(DOMPurify.sanitize(html, SAFE));
}

/** Return a snippet of a search: text and <mark>. */
export function fromSnippet(html) {
  return DOMPurify.sanitize(html, MARKS);
}

/** Return Markdown as the service is going to show it, nearly: that renders with another library. */
export function fromMarkdown(text) {
  return fromHtml(marked.parse(text, { gfm: true, breaks: false, async: false }));
}

/** Make addresses whole, pictures of elsewhere links: nobody is told who reads what. */
function mended(fragment) {
  for (const link of fragment.querySelectorAll("a[href]")) {
    if (link.getAttribute("href").startsWith("#")) link.removeAttribute("href");
    else link.href = resolve(link.getAttribute("href"));
    link.rel = "noopener noreferrer nofollow";
  }
  for (const picture of fragment.querySelectorAll("img")) {
    const url = new URL(resolve(picture.getAttribute("src") ?? ""));
    if (url.href.startsWith(`${API}/files/`)) {
      picture.src = url.href;
      picture.loading = "lazy";
      picture.alt ||= "";
    } else {
      const label = `Picture${picture.alt ? `: ${picture.alt}` : ""} (${url.host})`;
      picture.replaceWith(h("a", { href: url.href, rel: "noopener noreferrer nofollow" }, label));
    }
  }
  for (const heading of fragment.querySelectorAll("h1, h2, h3, h4, h5")) lower(heading);
  for (const table of fragment.querySelectorAll("table")) scrollable(table);
  for (const block of fragment.querySelectorAll("pre")) block.tabIndex = 0; // scrolls by keyboard
  return fragment;
}

/** The page has a heading of the first level already: its title. */
function lower(heading) {
  const next = h(`h${Number(heading.localName[1]) + 1}`, {}, [...heading.childNodes]);
  heading.replaceWith(next);
}

/** What is too wide scrolls by itself, by keyboard too. */
function scrollable(table) {
  const frame = h("div.wide-table", { tabindex: "0", role: "region", "aria-label": "Table" });
  table.replaceWith(frame);
  frame.append(table);
}
