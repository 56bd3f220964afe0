// The top of every page: where one is, search, writing, and one's own menu.
import { fill, freshId, h, icon } from "../dom.js";
import { confirm } from "../dialog.js";
import { nameOf } from "../format.js";
import { go } from "../router.js";
import * as session from "../session.js";
import { toast } from "../toast.js";
import { avatar } from "./people.js";
import { discard, placesOf } from "./unsaved.js";

const top = document.getElementById("top");

/** Draw it for whoever is signed in. */
export function drawHeader() {
  fill(top, h("nav.bar", { "aria-label": "Main" },
    h("a.wordmark", { href: "#/" }, h("img", { src: "icon.svg", alt: "", width: 28, height: 28 }), "Signpost"),
    search(),
    session.mayWrite() ? h("a.write", { href: "#/write" }, icon("pen"), h("span", {}, "Write")) : null,
    session.isSignedIn() ? menu() : h("a.button.small", { href: "#/sign-in" }, "Sign in")));
}

function search() {
  const box = h("input", { type: "search", name: "q", "aria-label": "Search", placeholder: "Search", maxlength: 200 });
  const form = h("form.search", { role: "search", "aria-label": "Everywhere" }, icon("search"), box);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!box.value.trim()) return;
    go(`/search?q=${encodeURIComponent(box.value.trim())}`);
    box.value = "";
    box.blur();
  });
  return [form, h("a.search-link", { href: "#/search", "aria-label": "Search" }, icon("search"))];
}

/** A button with a list of links under it; Escape and leaving it close it. */
function menu() {
  const { me } = session;
  const id = freshId("menu");
  const button = h("button.menu-button", { type: "button", "aria-expanded": "false", "aria-controls": id },
    avatar(me), h("span.hidden", {}, `Your menu, ${nameOf(me)}`));
  const link = (href, text) => h("li", {}, h("a", { href }, text));
  const list = h("ul.menu-list", { id, role: "list", hidden: true },
    h("li.menu-name", {}, h("strong", {}, nameOf(me)), h("small", {}, `@${me.username}`)),
    link(`#/users/${me.username}`, "Profile"),
    session.mayWrite() ? link("#/drafts", "Your posts") : null,
    link("#/feed", "Feed"), link("#/trash", "Trash"), link("#/settings", "Settings"),
    h("li", {}, h("button.plain", { type: "button", onclick: signOut }, "Sign out")));
  const set = (isOpen) => {
    list.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
  };
  button.addEventListener("click", () => set(list.hidden));
  const box = h("div.menu", {}, button, list);
  box.addEventListener("keydown", (event) => event.key === "Escape" && !list.hidden && (set(false), button.focus()));
  box.addEventListener("focusout", (event) => box.contains(event.relatedTarget) || set(false));
  list.addEventListener("click", () => set(false));
  return box;
}

/** On a shared device nothing of somebody who has signed out stays. */
async function signOut() {
  const { id } = session.me;
  const text = "What you have written and not saved is on this device only. Signing out discards it.";
  if (placesOf(id).length && !(await confirm("Discard what is not saved?", text, "Sign out"))) return;
  await session.signOut();
  await go("/", { replaces: true });
  placesOf(id).forEach(discard); // the page that was left may have kept something once more
  toast("You are signed out.");
}
