// People: their picture or initials, a line about who wrote what, a button to follow them.
import { resolve } from "../config.js";
import { h } from "../dom.js";
import { hueOf, initials, moment, nameOf, when } from "../format.js";

/** A round picture; initials on one of six colours where there is none or it does not load. */
export function avatar(user, size = "") {
  const letters = () => h(`span.avatar.hue-${hueOf(user.username)}${size}`, { "aria-hidden": "true" }, initials(user));
  if (!user.avatar_url) return letters();
  const src = thumbnail(user.avatar_url, 160);
  const picture = h(`img.avatar${size}`, { src, alt: "", width: 40, height: 40, loading: "lazy" });
  picture.addEventListener("error", () => picture.replaceWith(letters()), { once: true });
  return picture;
}

/** The address of a smaller picture than the original at `…/content`. */
export function thumbnail(url, width) {
  return resolve(url.replace(/\/content$/, `/thumbnail?width=${width}`));
}

/** "Ada · 5 minutes ago", with links. */
export function byline(author, time, ...more) {
  return h("p.byline", {}, avatar(author), h("span.byline-text", {},
    h("a.person", { href: `#/users/${author.username}` }, nameOf(author)),
    time ? h("time", { datetime: time, title: moment(time) }, when(time)) : null,
    more.filter(Boolean).map((each) => h("span", {}, each))));
}
