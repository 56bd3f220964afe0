// A post to be read, with what one can do about it: like, follow, comment, edit, delete.
import { get } from "../api.js";
import { h } from "../dom.js";
import { readingTime } from "../format.js";
import { fromHtml } from "../markup.js";
import { cover, postPath, statusOf, tags } from "../parts/card.js";
import { comments } from "../parts/comments.js";
import { removeWithUndo } from "../parts/deletion.js";
import { byline } from "../parts/people.js";
import { likeButton } from "../parts/reactions.js";
import { go } from "../router.js";
import * as session from "../session.js";

/** Show a post by its slug; one that it had before leads here too. */
export async function post({ params: { slug }, signal }) {
  const { data } = await get(`/posts/by-slug/${encodeURIComponent(slug)}`, {}, { signal });
  if (data.slug !== slug) history.replaceState(null, "", postPath(data));
  const node = h("div.page.reading", {},
    h("article", {},
      h("header.post-head", {},
        h("h1", {}, data.title),
        byline(data.author, data.published_at ?? data.created_at, readingTime(data.body), statusOf(data)),
        manage(data)),
      cover(data, "cover", 1024),
      h("div.prose", {}, fromHtml(data.html)),
      h("footer.post-foot", {}, tags(data.tags), likeButton(data))),
    await comments(data, signal));
  return { title: data.title, node };
}

/** What its author and editors can do. */
function manage(data) {
  if (session.me?.id !== data.author.id && !session.mayEditAll()) return null;
  const remove = async () => {
    const isGone = await removeWithUndo(`/posts/${data.id}`, "The post", (back) => go(postPath(back).slice(1)));
    if (isGone) go("/", { replaces: true });
  };
  return h("div.manage", {},
    h("a.button.quiet", { href: `#/write/${data.id}` }, "Edit"),
    h("button.button.quiet", { type: "button", onclick: remove }, "Delete"));
}
