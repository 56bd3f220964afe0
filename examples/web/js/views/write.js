// Writing and editing a post. What is typed is kept on this device; saving never overwrites somebody else's change.
import * as api from "../api.js";
import { fill, h } from "../dom.js";
import { attempt, busy } from "../forms.js";
import { when } from "../format.js";
import { postPath } from "../parts/card.js";
import { settle } from "../parts/conflict.js";
import { changesOf, postFields, textsOf } from "../parts/post-form.js";
import { failure, signInFirst } from "../parts/states.js";
import * as unsaved from "../parts/unsaved.js";
import { go } from "../router.js";
import * as session from "../session.js";
import { toast } from "../toast.js";

/** How long after the last key the text is kept, in milliseconds. */
const PAUSE = 400;

/** Write a new post, or edit one. */
export async function write({ params: { id }, signal, path }) {
  if (!session.isSignedIn()) return signInFirst(path);
  if (!session.mayWrite()) return failure({ status: 403, message: "You read and comment here; an admin can let you write." });
  const read = id ? await api.get(`/posts/${id}`, {}, { signal }) : { data: null, etag: null };
  return new Writing(read.data, read.etag).view();
}

class Writing {
  constructor(post, etag) {
    this.post = post;
    this.etag = etag;
    this.base = textsOf(post);
    this.place = unsaved.placeOf(session.me.id, post?.id);
    this.fields = postFields(post);
    this.summary = h("p.summary", { role: "alert" });
    this.state = h("p.soft.state", { role: "status" });
    this.notice = h("div");
    this.buttons = h("div.buttons.sticky");
  }

  view() {
    this.fields.write(this.base);
    this.recall();
    this.drawButtons();
    const form = h("form.form.writing", { novalidate: true, onsubmit: (event) => event.preventDefault() },
      this.notice, this.summary, this.fields.node, this.buttons);
    this.form = form;
    form.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.keep(), PAUSE);
    });
    form.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key === "s") {
        event.preventDefault();
        this.save(this.post?.status ?? "draft");
      }
    });
    const title = this.post ? "Edit" : "New post";
    return { title, node: h("div.page.wide", {}, h("h1", {}, title), form), leave: () => this.leave() };
  }

  /** Put back what was typed before and not saved. */
  recall() {
    const kept = unsaved.recall(this.place);
    if (!kept || !Object.keys(changesOf(kept.values, this.base)).length) return;
    this.fields.write(kept.values);
    // The version that was edited: if it is not the present one, saving tells.
    [this.base, this.etag] = [kept.base, kept.etag];
    fill(this.notice, h("p.notice", { role: "status" }, `This is what you wrote ${when(kept.at)} and did not save. `,
      h("button.plain", { type: "button", onclick: () => this.discard() }, "Discard it")));
  }

  discard() {
    this.isDone = true;
    unsaved.discard(this.place);
    go(location.hash.slice(1));
  }

  keep() {
    if (this.isDone) return;
    const values = this.fields.read();
    if (!Object.keys(changesOf(values, this.base)).length) return unsaved.discard(this.place);
    const isKept = unsaved.keep(this.place, { values, base: this.base, etag: this.etag });
    fill(this.state, isKept ? "Kept on this device, not saved yet." : "Not saved yet.");
  }

  leave() {
    clearTimeout(this.timer);
    this.keep();
  }

  drawButtons() {
    const status = this.post?.status ?? "draft";
    const button = (label, next, look) => h(`button.button${look}`, { type: "button",
      onclick: (event) => busy(event.currentTarget, () => this.save(next)) }, label);
    fill(this.buttons, status === "published"
      ? [button("Save", "published", ""), button("Back to drafts", "draft", ".quiet")]
      : [button("Publish", "published", ""), button("Save draft", "draft", ".quiet")], this.state);
  }

  async save(status) {
    await attempt(this.form, this.summary, async () => {
      const texts = this.fields.read();
      try {
        this.saved(await this.send(texts, status));
      } catch (problem) {
        if (problem.code !== "precondition-failed") throw problem;
        await this.settle(texts, status);
      }
    });
  }

  send(texts, status) {
    const changes = changesOf(texts, this.base);
    if (status !== this.post?.status) changes.status = status;
    if (this.post) return api.patch(`/posts/${this.post.id}`, changes, this.etag);
    // What is empty has a default; all others are sent, so that what is missing is told.
    return api.post("/posts", { title: texts.title, body: texts.body, ...changes });
  }

  /** Somebody was faster: show both versions, then save what was chosen on top of theirs. */
  async settle(texts, status) {
    const { data, etag } = await api.get(`/posts/${this.post.id}`);
    const settled = await settle(this.base, texts, textsOf(data));
    if (!settled) return;
    [this.post, this.etag, this.base] = [data, etag, textsOf(data)];
    this.fields.write(settled.chosen);
    this.keep();
    if (settled.isFinal) await this.save(status);
  }

  saved({ data, etag }) {
    const isNew = !this.post;
    unsaved.discard(this.place);
    if (data.status === "published") {
      this.isDone = true;
      toast(new Date(data.published_at) > new Date() ? "Scheduled." : "Published.");
      return go(postPath(data).slice(1));
    }
    [this.post, this.etag, this.base] = [data, etag, textsOf(data)];
    this.place = unsaved.placeOf(session.me.id, data.id);
    this.fields.write(this.base);
    fill(this.notice);
    fill(this.state, "Saved as a draft.");
    this.drawButtons();
    if (isNew) history.replaceState(null, "", `#/write/${data.id}`);
    return undefined;
  }
}
