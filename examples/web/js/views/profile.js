// Somebody's page: who they are, whom they know, what they wrote.
import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { count, day, nameOf } from "../format.js";
import { paged } from "../paging.js";
import { CARD, card } from "../parts/card.js";
import { avatar } from "../parts/people.js";
import { followButton } from "../parts/reactions.js";
import { emptiness } from "../parts/states.js";
import * as session from "../session.js";

/** Show a user by name. */
export async function profile({ params: { username }, signal }) {
  const { data: user } = await get(`/users/by-username/${encodeURIComponent(username)}`, {}, { signal });
  const empty = emptiness("Nothing published yet", `${nameOf(user)} has not published anything so far.`);
  const [relations, posts] = await Promise.all([
    relationsOf(user, signal),
    paged(`/users/${user.id}/posts`, { fields: CARD }, { draw: card, empty, signal }),
  ]);
  const node = h("div.page", {}, head(user, relations), h("h2.hidden", {}, "Posts"), posts);
  return { title: nameOf(user), node };
}

function head(user, { followers, following, isFollowed }) {
  const numbers = h("ul.numbers", { role: "list" });
  let present = followers;
  const draw = (change = 0) => {
    present += change;
    fill(numbers, [
      count(user.posts_count, "post"),
      h("a", { href: `#/users/${user.username}/followers` }, count(present, "follower")),
      h("a", { href: `#/users/${user.username}/following` }, `${following} following`),
    ].map((each) => h("li", {}, each)));
  };
  draw();
  const isMe = session.me?.id === user.id;
  return h("header.profile", {}, avatar(user, ".huge"), h("div.profile-text", {},
    h("h1", {}, nameOf(user)),
    h("p.soft", {}, `@${user.username} · ${user.role} · here since ${day(user.created_at)}`),
    user.bio ? h("p.bio", {}, user.bio) : null, numbers),
  isMe ? h("a.button.quiet", { href: "#/settings" }, "Edit profile") : followButton(user, isFollowed, draw));
}

/** How many follow them, how many they follow, and whether the one who asks is among the former. */
async function relationsOf(user, signal) {
  const total = (which) => get(`/users/${user.id}/${which}`, { limit: 1, total: true }, { signal });
  const mine = session.isSignedIn() ? get("/users/me/following", { ids: user.id }, { signal }) : null;
  const [followers, following, own] = await Promise.all([total("followers"), total("following"), mine]);
  return {
    followers: followers.data.total,
    following: following.data.total,
    isFollowed: Boolean(own?.data.items.length),
  };
}

/** List who follows somebody, or whom they follow. */
export async function people({ params: { username, which }, signal }) {
  const { data: user } = await get(`/users/by-username/${encodeURIComponent(username)}`, {}, { signal });
  const draw = (each) => h("li", {}, h("a", { href: `#/users/${each.username}` }, avatar(each),
    h("span", {}, h("strong", {}, nameOf(each)), h("small", {}, `@${each.username}`))));
  const list = await paged(`/users/${user.id}/${which}`, {}, {
    draw, empty: emptiness("Nobody yet", "This can change."), tag: "ul.people", signal,
  });
  const title = which === "followers" ? `Who follows ${nameOf(user)}` : `Whom ${nameOf(user)} follows`;
  const node = h("div.page", {},
    h("p.crumb", {}, h("a", { href: `#/users/${user.username}` }, nameOf(user))), h("h1", {}, title), list);
  return { title, node };
}
