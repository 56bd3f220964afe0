// A post in a list: who, when, title, the first words, tags and counts; a cover if there is one.
import { h, icon } from "../dom.js";
import { count } from "../format.js";
import { fromSnippet } from "../markup.js";
import { byline, small } from "./people.js";

/** What a card shows of a post: whole texts would make lists slow. */
export const CARD =
  "id,slug,title,excerpt,status,published_at,updated_at,tags,author,cover_url,comments_count,likes_count";

/** Where a post can be read. */
export const postPath = (post) => `#/posts/${encodeURIComponent(post.slug)}`;

/** Draw a post as an item of a list. */
export function card(post) {
  const time = post.published_at ?? post.updated_at;
  return h("li.card", {}, h("article", {},
    h("div.card-text", {},
      byline(post.author, time, statusOf(post)),
      h("h2", {}, h("a.stretched", { href: postPath(post) }, post.title)),
      h("p.excerpt", {}, post.snippet ? fromSnippet(post.snippet) : post.excerpt),
      h("div.card-foot", {}, tags(post.tags.slice(0, 4)), counts(post))),
    cover(post, "card-cover", 512)));
}

/** What a post is besides published, as a badge, or null. */
export function statusOf(post) {
  if (post.status !== "published") return h("strong.badge", {}, post.status);
  const isScheduled = post.published_at && new Date(post.published_at) > new Date();
  return isScheduled ? h("strong.badge", {}, "scheduled") : null;
}

/** A post's cover, or null; it goes away if it does not load. */
export function cover(post, look, width) {
  return post.cover_url ? small(post.cover_url, width, look) : null;
}

/** Tags as links. */
export function tags(names) {
  if (!names.length) return null;
  return h("ul.tags", { role: "list", "aria-label": "Tags" },
    names.map((name) => h("li", {}, h("a.tag", { href: `#/tags/${encodeURIComponent(name)}` }, name))));
}

function counts(post) {
  const one = (name, number, word) => h("li", {}, icon(name), h("span", { "aria-hidden": "true" }, number),
    h("span.hidden", {}, count(number, word)));
  return h("ul.counts", { role: "list", "aria-label": "Reactions" },
    one("heart", post.likes_count, "like"), one("comment", post.comments_count, "comment"));
}
