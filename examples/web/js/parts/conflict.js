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
 * @returns {Promise<{chosen: Record<string, string>, isFinal: boolean}|null>} null if it is not decided: then
 *   nothing has changed; not final is what is to be edited further
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
    [["", "Decide later", ""], ["edit", "Edit this", ""], ["save", "Save this", "primary"]], "conflict");
  return answer ? { chosen, isFinal: answer === "save" } : null;
}

function choice(name, mine, theirs, take) {
  const group = freshId(name);
  const radio = (label, value, isOn) => {
    const id = freshId(name);
    const input = h("input", { type: "radio", name: group, id, checked: isOn, onchange: () => take(value) });
    return h("label", { for: id }, input, label);
  };
  const side = (label, value, other, isOn) => h("div.version", {}, radio(label, value, isOn),
    h("pre", { tabindex: "0", "aria-label": `${label}: ${LABELS[name]}` }, marked(value, other)));
  return h("fieldset.versions", {}, h("legend", {}, LABELS[name]),
    side("Yours", mine, theirs, true), side("Theirs", theirs, mine, false),
    name === "body" ? h("div.version", {}, radio("Both, one below the other", `${mine}\n\n${theirs}`, false)) : null);
}

/** Mark the lines that the other version has not. */
function marked(value, other) {
  if (!value) return "(empty)";
  const known = new Set(other.split("\n"));
  return value.split("\n").map((line) => [known.has(line) ? line : h("mark", {}, line), "\n"]);
}
