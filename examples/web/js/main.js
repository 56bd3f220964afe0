// The start: the policy, the routes, who is signed in, the first page. Everything else is imported from here.
import { listen } from "./api.js";
import { narrowPolicy } from "./config.js";
import { drawHeader } from "./parts/header.js";
import { go, route, show } from "./router.js";
import * as session from "./session.js";
import { complain, toast } from "./toast.js";
import { about } from "./views/about.js";
import { settings, signIn, signUp } from "./views/account.js";
import { allTags, drafts, feed, newest, search, tagged } from "./views/lists.js";
import { post } from "./views/post.js";
import { people, profile } from "./views/profile.js";
import { trash } from "./views/trash.js";
import { write } from "./views/write.js";

narrowPolicy();
route([
  ["/", newest],
  ["/feed", feed],
  ["/search", search],
  ["/tags", allTags],
  ["/tags/:name", tagged],
  ["/posts/:slug", post],
  ["/write", write],
  ["/write/:id", write],
  ["/drafts", drafts],
  ["/trash", trash],
  ["/users/:username", profile],
  ["/users/:username/:which", people],
  ["/settings", settings],
  ["/sign-in", signIn],
  ["/sign-up", signUp],
  ["/about", about],
]);

/** Say at most once in a while that a request waits. */
let isTold = false;
listen({
  wait(seconds) {
    if (isTold || seconds < 1) return;
    isTold = true;
    toast("The service is busy. Trying again in a moment.");
    setTimeout(() => (isTold = false), 10_000);
  },
  ended() {
    session.ended();
    toast("Your session has ended.", { label: "Sign in", run: () => go(`/sign-in?then=${encodeURIComponent(location.hash.slice(1))}`) });
  },
});

// `#main` is a page's address here, so the link has to jump by itself.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});

const offline = document.getElementById("offline");
const showConnection = () => (offline.hidden = navigator.onLine);
addEventListener("online", () => {
  showConnection();
  if (!session.isSignedIn()) session.load().catch(complain); // it could not be found out before
});
addEventListener("offline", showConnection);
showConnection();

session.onChange(drawHeader);
await session.start().catch(complain);
drawHeader();
await show();
