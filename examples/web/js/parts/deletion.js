// Deleting with a way back: a toast that undoes it, by the link that the service gives.
import { post, remove, undoOf } from "../api.js";
import { complain, toast } from "../toast.js";

/**
 * Delete and offer to undo it.
 * @param {string} path
 * @param {string} what "The post"
 * @param {(item: any) => unknown} undone called with the item that is back
 * @returns {Promise<boolean>} whether it is deleted
 */
export async function removeWithUndo(path, what, undone) {
  try {
    const { link } = await remove(path);
    const undo = undoOf(link);
    toast(`${what} is in the trash.`, undo && { label: "Undo", run: () => restore(undo, what, undone) });
    return true;
  } catch (problem) {
    complain(problem);
    return false;
  }
}

/** Bring something back; a slug that was taken meanwhile is replaced by the free one that is suggested. */
export async function restore(path, what, undone) {
  try {
    const { data } = await post(path).catch((problem) => {
      const slug = problem.document?.suggestion;
      if (problem.code !== "slug-taken" || !slug) throw problem;
      return post(path, undefined, { query: { slug } });
    });
    toast(`${what} is back.`);
    await undone(data);
  } catch (problem) {
    complain(problem);
  }
}
