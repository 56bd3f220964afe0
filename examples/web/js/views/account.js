// Signing up and in, and one's own profile: name, words about oneself, picture.
import * as api from "../api.js";
import { fill, h } from "../dom.js";
import { field, form } from "../forms.js";
import { avatar } from "../parts/people.js";
import { signInFirst } from "../parts/states.js";
import { pictureButton } from "../parts/upload.js";
import { go } from "../router.js";
import * as session from "../session.js";
import { complain, toast } from "../toast.js";

/** Where to go on to, from `?then=`: a page of ours, nothing else. */
function next(query) {
  const path = query.get("then") ?? "/";
  return path.startsWith("/") ? path : "/";
}

/** Sign in by name or address. */
export async function signIn({ query }) {
  const fields = [
    field("username", "User name or email", { autocomplete: "username", autocapitalize: "none" }),
    field("password", "Password", { type: "password", autocomplete: "current-password" }),
  ];
  const made = form(fields, "Sign in", async ({ username, password }) => {
    await session.signIn(username.trim(), password).catch((problem) => {
      throw problem.code === "invalid-grant" ? new api.Problem({ detail: "Name or password is not right." }) : problem;
    });
    go(next(query), { replaces: true });
  });
  const node = h("div.page.narrow", {}, h("h1", {}, "Sign in"), made,
    h("p.soft", {}, "New here? ", h("a", { href: "#/sign-up" }, "Sign up"), "."));
  return { title: "Sign in", node };
}

/** Make an account. */
export async function signUp({ query }) {
  const fields = [
    field("username", "User name", { autocomplete: "username", autocapitalize: "none",
      hint: "3 to 40 letters, digits, - and _. Everybody sees it." }),
    field("email", "Email", { type: "email", autocomplete: "email", hint: "Nobody but you and admins sees it." }),
    field("password", "Password", { type: "password", autocomplete: "new-password",
      hint: "At least 8 characters. A few words are better than one." }),
  ];
  const made = form(fields, "Sign up", async (account) => {
    await session.signUp(account);
    toast(`Welcome, ${session.me.username}.`);
    go(next(query), { replaces: true });
  });
  const node = h("div.page.narrow", {}, h("h1", {}, "Sign up"), made,
    h("p.soft", {}, "Been here before? ", h("a", { href: "#/sign-in" }, "Sign in"), "."));
  return { title: "Sign up", node };
}

/** Change one's profile. */
export async function settings({ path, signal }) {
  if (!session.isSignedIn()) return signInFirst(path);
  let { data: user, etag } = await api.get("/users/me", {}, { signal });
  const fields = [
    field("name", "Name", { value: user.name ?? "", maxlength: 100, autocomplete: "name" }),
    field("bio", "About you", { kind: "textarea", rows: 4, value: user.bio ?? "", maxlength: 500 }),
  ];
  const keep = async (change) => {
    ({ data: user, etag } = await api.patch("/users/me", change, etag));
    await session.load();
  };
  const made = form(fields, "Save", async ({ name, bio }) => {
    await keep({ name: name.trim() || null, bio: bio.trim() || null });
    toast("Saved.");
    go(`/users/${user.username}`);
  });
  const node = h("div.page.narrow", {}, h("h1", {}, "Your profile"),
    pictureOf(() => user, keep), made,
    h("p.soft", {}, `You are ${user.username} (${user.role}), ${user.email}.`));
  return { title: "Your profile", node };
}

function pictureOf(user, keep) {
  const box = h("div.avatar-choice", { "data-field": "avatar_id" });
  const draw = () => fill(box, avatar(user(), ".huge"), h("div", {},
    session.mayWrite() ? pictureButton("Choose a picture", (file) => set(file.id)) : null,
    user().avatar_url ? h("button.button.quiet", { type: "button", onclick: () => set(null) }, "Remove it") : null));
  const set = async (id) => {
    await keep({ avatar_id: id }).catch(complain);
    draw();
  };
  draw();
  return box;
}
