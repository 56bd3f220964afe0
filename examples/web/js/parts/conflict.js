// Two people changed the same post: both versions side by side, and a choice for each field that differs.
import { open } from "../dialog.js";
import { freshId, h } from "../dom.js";

const LABELS = { title: "Title", body: "Text", tags: "Tags", excerpt: "Summary", slug: "Address",
  published_at: "Published at", cover_id: "Cover" };

/**
 * Ask which version of each field is to stay. What only one side changed is taken from that side.
 * @param {Record<string, string>} base what both began with
 * @param {Record<string, string>} mine
 * @param {Record<string, string>} theirs
 * @returns {Promise<Record<string, string>|null>} null if it is not decided; then nothing has changed
 */
export async function settle(base, mine, theirs) {
  const chosen = { ...mine };
  const disputed = [];
  for (const name of Object.keys(mine)) {
    if (mine[name] === theirs[name] || theirs[name] === base[name]) continue;
    if (mine[name] === base[name]) chosen[name] = theirs[name];
    else disputed.push(name);
  }
  const choices = disputed.map((name) => choice(name, mine[name], theirs[name], (value) => (chosen[name] = value)));
  const text = disputed.length
    ? "Somebody changed this post while you were writing. Nothing is lost: choose what stays."
    : "Somebody changed other parts of this post while you were writing. Both changes fit together.";
  const answer = await open("This post has changed", [h("p", {}, text), ...choices],
    [["cancel", "Decide later", ""], ["go", "Save this", "primary"]], "conflict");
  return answer === "go" ? chosen : null;
}

function choice(name, mine, theirs, take) {
  const group = freshId(name);
  const side = (label, value, isOn) => {
    const id = freshId(name);
    const radio = h("input", { type: "radio", name: group, id, checked: isOn, onchange: () => take(value) });
    return h("div.version", {}, h("label", { for: id }, radio, label),
      h("pre", { tabindex: "0", "aria-label": `${label}: ${LABELS[name]}` }, value || "(empty)"));
  };
  return h("fieldset.versions", {}, h("legend", {}, LABELS[name]),
    side("Yours", mine, true), side("Theirs", theirs, false));
}
