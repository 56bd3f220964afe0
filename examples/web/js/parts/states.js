// What a page looks like that has nothing to show: empty, failed, or only for who is signed in.
import { h } from "../dom.js";

/** Nothing there yet, and what to do about it. */
export function emptiness(title, text, ...actions) {
  return h("div.empty", {}, h("h2", {}, title), h("p", {}, text), actions.length ? h("p", {}, actions) : null);
}

/** A page that could not be shown. */
export function failure(problem, again) {
  const isMissing = problem.status === 404;
  const isForbidden = problem.status === 401 || problem.status === 403;
  const title = isMissing ? "Nothing here" : isForbidden ? "Not for you" : "That did not work";
  const text = isMissing
    ? "There is nothing at this address, or it is not for you to see."
    : problem.message;
  const node = h("div.page.narrow", {}, h("h1", {}, title), h("p.lead", {}, text),
    problem.requestId ? h("p.soft", {}, `The log has it under ${problem.requestId}.`) : null,
    h("p.buttons", {},
      again && !isMissing ? h("button.button", { type: "button", onclick: again }, "Try again") : null,
      h("a.button.quiet", { href: "#/" }, "To the newest posts")));
  return { title, node };
}

/** A page for whom is signed in only. */
export function signInFirst(path) {
  const node = h("div.page.narrow", {}, h("h1", {}, "Sign in first"),
    h("p.lead", {}, "This page is yours alone, so it has to know who you are."),
    h("p.buttons", {}, h("a.button", { href: `#/sign-in?then=${encodeURIComponent(path)}` }, "Sign in"),
      h("a.button.quiet", { href: "#/sign-up" }, "Sign up")));
  return { title: "Sign in first", node };
}
