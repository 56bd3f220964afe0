// Lists that go on: a first page, then a button for more, by cursors.
import { get } from "./api.js";
import { h } from "./dom.js";
import { complain } from "./toast.js";

/**
 * Read a list and draw it.
 * @param {string} path
 * @param {object} query filters and sort
 * @param {{draw: (item: any) => Node, empty: Node, tag?: string, limit?: number, signal?: AbortSignal}} how
 * @returns {Promise<HTMLElement>} with `.list`, which the items are in
 */
export async function paged(path, query, { draw, empty, tag = "ul.list", limit = 20, signal }) {
  const list = h(tag, tag.startsWith("ul") ? { role: "list" } : {});
  const box = h("div.paged", {}, list);
  box.list = list;
  const more = h("button.button.quiet", { type: "button" }, "Show more");
  let cursor = null;

  async function read() {
    const { data } = await get(path, { ...query, limit, cursor }, { signal });
    const drawn = data.items.map(draw);
    list.append(...drawn);
    cursor = data.next;
    more.hidden = cursor === null;
    return drawn;
  }

  more.addEventListener("click", async () => {
    const drawn = await read().catch(complain);
    drawn?.[0]?.querySelector("a, button")?.focus(); // the button may be gone
  });
  const first = await read();
  if (!first.length) list.replaceWith(empty);
  box.append(h("div.more", {}, more));
  return box;
}
