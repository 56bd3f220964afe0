// Who is signed in: `me` is their profile or null. Views ask here; main.js is told when it changes.
import * as api from "./api.js";
import { complain } from "./toast.js";
import * as tokens from "./tokens.js";

const listeners = new Set();

/** @type {{id: number, username: string, name: string|null, role: string, avatar_url: string|null}|null} */
export let me = null;

export const isSignedIn = () => me !== null;
export const mayWrite = () => me !== null && me.role !== "reader";
export const mayEditAll = () => me?.role === "editor" || me?.role === "admin";

/** Call whenever somebody signs in or out, or changes their profile. */
export function onChange(listener) {
  listeners.add(listener);
}

/** Find out who is signed in, after a reload or in a new tab. */
export async function start() {
  tokens.onChange(() => load().catch(complain));
  await tokens.askOtherTabs();
  if (tokens.refreshToken() && !tokens.accessToken()) await api.refresh();
  await load();
}

/** Read one's own profile anew. */
export async function load() {
  me = tokens.refreshToken() ? (await api.get("/users/me")).data : null;
  listeners.forEach((each) => each());
}

export async function signIn(username, password) {
  await api.signIn(username, password);
  await load();
}

/** Make an account and sign in with it. */
export async function signUp(account) {
  await api.post("/users", account);
  await signIn(account.username, account.password);
}

export async function signOut() {
  await api.signOut();
  ended();
}

/** The service has ended the session. */
export function ended() {
  me = null;
  listeners.forEach((each) => each());
}
