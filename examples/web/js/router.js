// Which view a hash shows: `#/posts/hello?…`. A view is an async function that returns a title and a node.
import { fill, h } from "./dom.js";
import { failure } from "./parts/states.js";

/** How long a view may take before it says that it is loading, in milliseconds. */
const PATIENCE = 150;
const main = document.getElementById("main");
let routes = [];
let running = new AbortController();
let isFirst = true;

/** Where each page was scrolled to, so that going back ends where one was. */
const places = new Map();
let shown = null;
/** Whether the page to come was asked for by a link or by us; else it is the browser's way back or on. */
let isNew = false;
let isBack = false;

/**
 * Say which views there are.
 * @param {Array<[string, (context: Context) => Promise<{title: string, node: Node, leave?: () => void}>]>} table
 *   patterns like "/posts/:slug"
 */
export function route(table) {
  routes = table.map(([pattern, view]) => ({
    pattern: new RegExp(`^${pattern.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`),
    view,
  }));
  history.scrollRestoration = "manual";
  window.addEventListener("hashchange", () => show());
  window.addEventListener("popstate", () => {
    isBack = !isNew;
    isNew = false;
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const isHere = !(event.ctrlKey || event.metaKey || event.shiftKey);
    if (isHere && link?.hash && link.hash !== location.hash) isNew = true;
  });
}

/** Go to a hash: "/posts/hello"; `replaces` leaves no way back to the present one. */
export function go(path, { replaces = false } = {}) {
  isBack = false;
  if (`#${path}` === location.hash) return show();
  if (!replaces) {
    isNew = true;
    location.hash = path;
    return undefined;
  }
  history.replaceState(null, "", `#${path}`);
  return show();
}

/** Show what the address names, anew. */
export async function show() {
  const hash = location.hash.slice(1) || "/";
  const [path, search] = hash.split("?");
  if (shown) places.set(shown.hash, window.scrollY);
  shown?.leave?.();
  document.querySelectorAll("dialog").forEach((each) => each.close());
  running.abort();
  const mine = (running = new AbortController());
  const { view, params } = find(path);
  const context = { params, query: new URLSearchParams(search), signal: mine.signal, path };
  const slow = setTimeout(() => fill(main, loading()), PATIENCE);
  main.setAttribute("aria-busy", "true");
  const result = await view(context).catch((problem) => failure(problem, show));
  clearTimeout(slow);
  if (mine.signal.aborted) return result.leave?.();
  shown = { hash, leave: result.leave };
  draw(result, hash);
}

function find(path) {
  for (const { pattern, view } of routes) {
    const match = pattern.exec(path);
    if (match) {
      const entries = Object.entries(match.groups ?? {});
      return { view, params: Object.fromEntries(entries.map(([name, text]) => [name, decode(text)])) };
    }
  }
  return { view: async () => failure({ status: 404 }), params: {} };
}

/** An address that is no valid encoding is taken as it is. */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function draw({ title, node }, hash) {
  document.title = title === "Signpost" ? title : `${title} - Signpost`;
  fill(main, node);
  main.removeAttribute("aria-busy");
  for (const link of document.querySelectorAll(".top a[href^='#']")) {
    if (link.getAttribute("href") === `#${hash}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  // Screen readers go on at the heading of the new page; the first one they read by themselves.
  if (!isFirst && !main.contains(document.activeElement)) focusHeading();
  window.scrollTo(0, isBack ? (places.get(hash) ?? 0) : 0);
  isFirst = isBack = false;
}

function focusHeading() {
  const heading = main.querySelector("h1") ?? main;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

function loading() {
  const line = () => h("div.skeleton");
  return h("div.page.loading", {}, h("p.hidden", { role: "status" }, "Loading"), [1, 2, 3].map(() =>
    h("div.bones", { "aria-hidden": "true" }, line(), line(), line())));
}
