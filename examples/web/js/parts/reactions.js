// What one does with a press: like a post, follow somebody. Shown at once, taken back if it is refused.
import { put, remove } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { count } from "../format.js";
import { go } from "../router.js";
import * as session from "../session.js";
import { complain } from "../toast.js";

/** A heart with the number of likes. */
export function likeButton(post) {
  let isOn = post.liked === true;
  let number = post.likes_count;
  const button = h("button.reaction", { type: "button" });
  const draw = () => {
    button.setAttribute("aria-pressed", String(isOn));
    fill(button, icon("heart"), h("span", { "aria-hidden": "true" }, number.toLocaleString("en")),
      h("span.hidden", {}, `Like, ${count(number, "like")}`));
  };
  const turn = () => {
    isOn = !isOn;
    number += isOn ? 1 : -1;
    draw();
  };
  pressing(button, turn, () => toggle(isOn, `/posts/${post.id}/like`));
  draw();
  return button;
}

/** "Follow" or "Following"; null for oneself. */
export function followButton(user, isFollowed, changed = () => {}) {
  if (session.me?.id === user.id) return null;
  let isOn = isFollowed;
  const button = h("button.button", { type: "button" });
  const draw = () => {
    button.setAttribute("aria-pressed", String(isOn));
    button.classList.toggle("quiet", isOn);
    fill(button, isOn ? "Following" : "Follow");
  };
  const turn = () => {
    isOn = !isOn;
    draw();
    changed(isOn ? 1 : -1);
  };
  pressing(button, turn, () => toggle(isOn, `/users/${user.id}/follow`));
  draw();
  return button;
}

const toggle = (isOn, path) => (isOn ? put(path) : remove(path));

/** Turn at once, ask the service, and turn back if it refuses; one press at a time. */
function pressing(button, turn, ask) {
  let isAsking = false;
  button.addEventListener("click", async () => {
    if (!session.isSignedIn()) return go(`/sign-in?then=${encodeURIComponent(location.hash.slice(1))}`);
    if (isAsking) return undefined;
    isAsking = true;
    turn();
    await ask().catch((problem) => {
      turn();
      complain(problem);
    });
    isAsking = false;
    return undefined;
  });
}
