// What was typed and not saved, kept on this device until it is saved or discarded.

const PREFIX = "signpost-unsaved";

/** Name the place of a user's text; "new" is a post that does not exist yet. */
export const placeOf = (userId, postId) => `${PREFIX}-${userId}-${postId ?? "new"}`;

/** Return `{values, base, etag, at}`, or null. */
export function recall(place) {
  try {
    return JSON.parse(localStorage.getItem(place));
  } catch {
    return null; // nothing of ours
  }
}

/** Keep it; a full or forbidden storage only means that it is not kept. */
export function keep(place, what) {
  try {
    localStorage.setItem(place, JSON.stringify({ ...what, at: new Date().toISOString() }));
    return true;
  } catch {
    return false;
  }
}

export function discard(place) {
  localStorage.removeItem(place);
}

/** The places of all that a user has not saved. */
export function placesOf(userId) {
  return Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}-${userId}-`));
}
