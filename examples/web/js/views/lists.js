// Lists of posts: the newest, a tag's, the feed of those one follows, one's drafts, what a search finds.
import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { count } from "../format.js";
import { paged } from "../paging.js";
import { CARD, card } from "../parts/card.js";
import { avatar } from "../parts/people.js";
import { emptiness, signInFirst } from "../parts/states.js";
import { go } from "../router.js";
import * as session from "../session.js";

const TAGS_BESIDE = 14;
const write = () => h("a.button", { href: "#/write" }, "Write a post");
const explore = () => h("a.button", { href: "#/" }, "See the newest");

/** The newest posts of all. */
export async function newest({ signal }) {
  const empty = emptiness("No posts yet", "Somebody has to be the first.", session.mayWrite() ? write() : null);
  const [list, tagsBeside] = await Promise.all([
    paged("/posts", { fields: CARD }, { draw: card, empty, signal }),
    sidebar(signal),
  ]);
  const node = h("div.page.with-side", {},
    h("div", {}, tabs("newest"), h("h1.hidden", {}, "Newest posts"), list), tagsBeside);
  return { title: "Signpost", node };
}

/** Posts of those whom one follows. */
export async function feed({ signal, path }) {
  if (!session.isSignedIn()) return signInFirst(path);
  const empty = emptiness("Your feed is empty", "Follow somebody, and what they write appears here.", explore());
  const [list, tagsBeside] = await Promise.all([
    paged("/feed", { fields: CARD }, { draw: card, empty, signal }),
    sidebar(signal),
  ]);
  const node = h("div.page.with-side", {},
    h("div", {}, tabs("feed"), h("h1.hidden", {}, "Your feed"), list), tagsBeside);
  return { title: "Feed", node };
}

/** Posts with a tag. */
export async function tagged({ params: { name }, signal }) {
  const empty = emptiness("No posts", `Nothing is tagged ${name}.`, explore());
  const list = await paged("/posts", { tag: name, fields: CARD }, { draw: card, empty, signal });
  const node = h("div.page", {},
    h("p.crumb", {}, h("a", { href: "#/tags" }, "All tags")), h("h1", {}, `# ${name}`), list);
  return { title: `# ${name}`, node };
}

/** All tags with their counts. */
export async function allTags({ signal }) {
  const draw = (tag) => h("li", {}, h("a.tag.large", { href: `#/tags/${encodeURIComponent(tag.name)}` },
    tag.name, h("span.amount", {}, tag.posts_count)));
  const empty = emptiness("No tags yet", "They come with posts.");
  const list = await paged("/tags", {}, { draw, empty, tag: "ul.tags", limit: 100, signal });
  return { title: "Tags", node: h("div.page", {}, h("h1", {}, "Tags"), list) };
}

/** One's own posts that others cannot see. */
export async function drafts({ query, signal, path }) {
  if (!session.isSignedIn()) return signInFirst(path);
  const status = query.get("status") ?? "draft";
  const words = { draft: "Drafts", scheduled: "Scheduled", archived: "Archived", published: "Published" };
  const empty = emptiness("Nothing here", "What you write and have not published yet is kept here.", write());
  const list = await paged("/posts", { status, author_id: session.me.id, sort: "-updated_at", fields: CARD },
    { draw: card, empty, signal });
  const links = Object.entries(words).map(([value, text]) =>
    tab(`#/drafts?status=${value}`, text, value === status));
  const node = h("div.page", {}, h("h1", {}, "Your posts"),
    h("nav.tabs", { "aria-label": "Status" }, links), list);
  return { title: "Your posts", node };
}

/** What a search finds: posts, and above them people. */
export async function search({ query, signal }) {
  const q = query.get("q")?.trim() ?? "";
  const box = h("input", { type: "search", name: "q", value: q, "aria-label": "Search posts and people",
    placeholder: "Words in posts, names of people", maxlength: 200 });
  const form = h("form.search-large", { role: "search", "aria-label": "Posts and people" }, box, h("button.button", { type: "submit" }, "Search"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(`/search?q=${encodeURIComponent(box.value)}`);
  });
  const results = h("div", {});
  const node = h("div.page", {}, h("h1", {}, q ? `Results for “${q}”` : "Search"), form, results);
  if (q) fill(results, await found(q, signal));
  return { title: q ? `Search: ${q}` : "Search", node };
}

async function found(q, signal) {
  const empty = emptiness("No posts found", "All words have to be in a post. Try fewer, or other ones.");
  const [people, posts] = await Promise.all([
    get("/users", { q, limit: 5 }, { signal }),
    paged("/posts", { q, fields: `${CARD},snippet` }, { draw: card, empty, signal }),
  ]);
  return [people.data.items.length ? h("ul.people", { role: "list", "aria-label": "People" },
    people.data.items.map(person)) : null, posts];
}

function person(user) {
  return h("li", {}, h("a", { href: `#/users/${user.username}` }, avatar(user),
    h("span", {}, h("strong", {}, user.name || user.username), h("small", {}, count(user.posts_count, "post")))));
}

function tabs(current) {
  if (!session.isSignedIn()) return null;
  return h("nav.tabs", { "aria-label": "Lists" },
    tab("#/", "Newest", current === "newest"), tab("#/feed", "Feed", current === "feed"));
}

function tab(href, text, isCurrent) {
  return h("a", { href, "aria-current": isCurrent ? "page" : null }, text);
}

/** Tags, and for newcomers what this is; a list is shown even if the tags cannot be. */
async function sidebar(signal) {
  const tags = await get("/tags", { limit: TAGS_BESIDE, sort: "-posts_count" }, { signal })
    .then(({ data }) => data.items, () => []);
  return h("aside.side", { "aria-label": "More" },
    session.isSignedIn() ? null : h("section.welcome", {}, h("h2", {}, "Write, read, talk"),
      h("p", {}, "Signpost is a place for texts and the people who write them."),
      h("p.buttons", {}, h("a.button", { href: "#/sign-up" }, "Sign up"),
        h("a.button.quiet", { href: "#/sign-in" }, "Sign in"))),
    tags.length ? h("section", {}, h("h2", {}, "Tags"), h("ul.tags", { role: "list" }, tags.map((tag) =>
      h("li", {}, h("a.tag", { href: `#/tags/${encodeURIComponent(tag.name)}` }, tag.name)))),
      h("p", {}, h("a.soft", { href: "#/tags" }, "All tags"))) : null);
}
