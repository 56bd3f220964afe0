// What this client is.
import { API, DOCS } from "../config.js";
import { h } from "../dom.js";

/** A page about this client. */
export async function about() {
  const node = h("div.page.narrow.prose", {}, h("h1", {}, "About"),
    h("p", {}, "This is a client of Signpost, an API for posts and the people who write them. ",
      "It is plain HTML, CSS and JavaScript modules, without a build, to be read and copied."),
    h("p", {}, "It asks ", h("code", {}, API), " and nobody else. Pictures of other sites appear as links, so that ",
      "nobody is told what you read. It sets no cookies: your session ends with the tab."),
    h("p", {}, "The API has a ", h("a", { href: DOCS }, "console"), " to try every operation in."));
  return { title: "About", node };
}
