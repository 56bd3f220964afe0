// What one does in the client of examples/web, for its tests: sign up, write, look.
import { randomBytes } from "node:crypto";
import { BASE, openPage } from "./browser.mjs";

/** Where the client is, without a slash at the end. */
export const CLIENT = process.env.SIGNPOST_CLIENT;
export const API = `${BASE}/api/v1`;
export const PASSWORD = "an elephant in Cairo";

/** Open the client in a page that notes what it should not do. */
export async function openClient(browser, path = "/", options = {}) {
  const opened = await openPage(browser, { places: [CLIENT, BASE], ...options });
  await opened.page.goto(`${CLIENT}/#${path}`);
  await opened.page.locator("main h1").waitFor({ state: "attached" });
  return opened;
}

/** Go to another page of the client and wait until it is there. */
export async function visit(page, path) {
  await page.goto(`${CLIENT}/#${path}`);
  await page.locator('main:not([aria-busy="true"]) h1').waitFor({ state: "attached" });
}

/** A name that nobody has yet. */
export const fresh = (stem) => `${stem}-${randomBytes(4).toString("hex")}`;

/** Make an account, without the browser. */
export async function account(stem) {
  const username = fresh(stem);
  await send("POST", "/users", { username, email: `${username}@example.org`, password: PASSWORD });
  const grant = { grant_type: "password", username, password: PASSWORD };
  const { access_token: token } = await send("POST", "/auth/token", grant);
  const { id } = await send("GET", "/users/me", undefined, token);
  return { id, username, token };
}

/** Ask the service itself; a refusal fails the test. */
export async function send(method, path, body, token) {
  const headers = { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

/** Publish a post, without the browser. */
export function publish({ token }, more = {}) {
  const post = { title: fresh("A walk"), body: "Some *text*, and more of it.", tags: ["walks"], status: "published" };
  return send("POST", "/posts", { ...post, ...more }, token);
}

/** Sign in by the page. */
export async function signIn(page, { username }) {
  await visit(page, "/sign-in");
  await page.getByLabel("User name or email").fill(username);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.locator("main").getByRole("button", { name: "Sign in" }).click();
  await page.locator(".menu-button").waitFor();
}

/** Open the client, signed in. */
export async function openAs(browser, user, path = "/", options = {}) {
  const opened = await openClient(browser, "/sign-in", options);
  await signIn(opened.page, user);
  await visit(opened.page, path);
  return opened;
}

/** A picture to upload. */
export function picture(name = "harbour.png") {
  return { name, mimeType: "image/png", buffer: Buffer.from(PIXELS, "base64") };
}

// 4 x 3 pixels in blue.
const PIXELS =
  "iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAIAAAA7ljmRAAAAEElEQVR4nGPQz98MRww4OQAuEA/Nf4DcTAAAAABJRU5ErkJggg==";

/** Wait for a message and return its text. */
export async function told(page, text) {
  const toast = page.locator(".toast", { hasText: text });
  await toast.first().waitFor();
  return toast.first();
}

/** Do something and wait until the service has answered, which the page does not wait for. */
export async function answered(page, end, act) {
  const answer = page.waitForResponse((each) => each.url().endsWith(end) && each.request().method() !== "OPTIONS");
  await act();
  await answer;
}
