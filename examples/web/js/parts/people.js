// People: their picture or initials, a line about who wrote what, a button to follow them.
import { resolve } from "../config.js";
import { h } from "../dom.js";
import { hueOf, initials, moment, nameOf, when } from "../format.js";

/** A round picture; initials on one of six colours where there is none or it does not load. */
export function avatar(user, size = "") {
  const letters = () => h(`span.avatar.hue-${hueOf(user.username)}${size}`, { "aria-hidden": "true" }, initials(user));
  if (!user.avatar_url) return letters();
  return small(user.avatar_url, size ? 256 : 128, `avatar${size.replace(".", " ")}`, letters);
}

/**
 * A picture of the service, made small; the original where it cannot be, and else what is put in its place.
 * @param {string} url a path to `…/content`
 * @param {64|128|256|512|1024} width pixels
 * @param {string} look classes
 * @param {() => Node|string} instead
 */
export function small(url, width, look, instead = () => "") {
  const src = resolve(url.replace(/\/content$/, `/thumbnail?width=${width}`));
  const picture = h("img", { src, class: look, alt: "", loading: "lazy" });
  picture.addEventListener("error", () => {
    if (picture.src === src && src !== resolve(url)) picture.src = resolve(url);
    else picture.replaceWith(instead());
  });
  return picture;
}

/** "Ada · 5 minutes ago", with links. */
export function byline(author, time, ...more) {
  return h("p.byline", {}, avatar(author), h("span.byline-text", {},
    h("a.person", { href: `#/users/${author.username}` }, nameOf(author)),
    time ? h("time", { datetime: time, title: moment(time) }, when(time)) : null,
    more.filter(Boolean).map((each) => h("span", {}, each))));
}
