// The API over HTTP, and nothing else here knows HTTP: tokens, retries, problems, conditional writes.
import { API, resolve } from "./config.js";
import * as tokens from "./tokens.js";

const TRIES = 4;
/** Whoever is to wait longer than this is told so instead, in seconds. */
const LONGEST_WAIT = 20;
const listeners = { wait: () => {}, ended: () => {} };

/** What the service refused, as RFC 9457 says it, or that it could not be reached (`offline`). */
export class Problem extends Error {
  constructor(document) {
    super(document.detail ?? document.title ?? "Something went wrong.");
    this.status = document.status ?? 0;
    this.code = document.code ?? "unknown";
    this.errors = document.errors ?? [];
    this.requestId = document.request_id;
    this.document = document;
  }
}

/** Say what happens when a request has to wait (`wait(seconds)`) or the session has ended (`ended()`). */
export function listen(calls) {
  Object.assign(listeners, calls);
}

export const get = (path, query, more) => call("GET", path, { query, ...more });
export const post = (path, body, more) => call("POST", path, { body, ...more });
export const put = (path, body, more) => call("PUT", path, { body, ...more });
export const patch = (path, body, etag) => call("PATCH", path, { body, etag });
export const remove = (path, etag) => call("DELETE", path, { etag });

/**
 * Ask the service, and once more with a new access token if this one is refused.
 * @param {string} method
 * @param {string} path below the API's base, or a path with its prefix as the service told it
 * @param {{query?: object, body?: unknown, form?: FormData|URLSearchParams, etag?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<{data: any, etag: string|null, link: string|null}>}
 * @throws {Problem}
 */
async function call(method, path, options = {}) {
  let answer = await persist(method, path, options);
  if (answer.status === 401 && tokens.refreshToken()) {
    await refresh();
    if (tokens.accessToken() || method === "GET") answer = await persist(method, path, options);
  }
  if (!answer.ok) throw new Problem(await problemOf(answer));
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  return {
    data: isJson ? await answer.json() : null,
    etag: answer.headers.get("ETag"),
    link: answer.headers.get("Link"),
  };
}

/** Send, and again after `Retry-After` where nothing can have been stored. */
async function persist(method, path, options) {
  const isRepeatable = method === "GET" || method === "PUT" || method === "DELETE";
  for (let left = TRIES - 1; ; left -= 1) {
    let seconds = 1;
    try {
      const answer = await send(method, path, options);
      if (!left || ![429, 502, 503, 504].includes(answer.status)) return answer;
      const isSure = answer.status === 429 || (answer.status === 503 && !(await isUnknown(answer)));
      seconds = Number(answer.headers.get("Retry-After") ?? seconds);
      if (!(isSure || isRepeatable) || seconds > LONGEST_WAIT) return answer;
    } catch (lost) {
      if (lost.name === "AbortError") throw lost;
      if (!left || method !== "GET" || !navigator.onLine) throw offline();
    }
    listeners.wait(seconds);
    await new Promise((done) => setTimeout(done, seconds * 1000));
  }
}

function send(method, path, { query, body, etag, signal, form, tell }) {
  const headers = {};
  if (tokens.accessToken()) headers.Authorization = `Bearer ${tokens.accessToken()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (etag) headers["If-Match"] = etag;
  const content = form ?? (body === undefined ? undefined : JSON.stringify(body));
  if (tell) return transmit(method, urlOf(path, query), { headers, body: content, tell, signal });
  return fetch(urlOf(path, query), { method, headers, body: content, signal, credentials: "omit" });
}

function urlOf(path, query = {}) {
  const url = new URL(path.includes("/api/v1/") ? resolve(path) : API + path);
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) {
      if (each !== undefined && each !== null && each !== "") url.searchParams.append(name, each);
    }
  }
  return url;
}

/** Trade name and password for tokens. */
export async function signIn(username, password) {
  const { data } = await call("POST", "/auth/token", {
    body: { grant_type: "password", username, password },
  });
  tokens.keep(data, true);
}

/** End the session here and at the service; if that cannot be reached, here at least. */
export async function signOut() {
  const form = new URLSearchParams({ token: tokens.refreshToken() });
  tokens.forget();
  await send("POST", "/auth/revoke", { form }).catch(() => null);
}

/** Trade the refresh token for the next pair; without one, or if it is refused, the session is over. */
export async function refresh() {
  const spent = tokens.refreshToken();
  await tokens.oneAtATime(async () => {
    if (!spent || tokens.refreshToken() !== spent) return; // another tab was faster
    const body = { grant_type: "refresh_token", refresh_token: spent };
    const answer = await persist("POST", "/auth/token", { body });
    if (answer.ok) return tokens.keep(await answer.json());
    if (answer.status !== 400) throw new Problem(await problemOf(answer));
    tokens.forget();
    listeners.ended();
  });
}

/**
 * Upload files; by `XMLHttpRequest`, because `fetch` does not tell how far it is.
 * @param {File[]} files
 * @param {Record<string, string>} fields
 * @param {(share: number) => void} tell how much was sent, 0 to 1
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} what the service answers, 201 or 207
 */
export async function upload(files, fields, tell, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const file of files) form.append("files", file);
  return (await call("POST", "/files", { form, tell, signal })).data;
}

function transmit(method, url, { headers, body, tell, signal }) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => tell(event.loaded / event.total));
    request.addEventListener("load", () => done(answerOf(request)));
    request.addEventListener("error", () => fail(new TypeError("No connection")));
    request.addEventListener("abort", () => fail(new DOMException("Cancelled", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

/** What came, in the form that `fetch` gives. */
function answerOf(request) {
  const lines = request.getAllResponseHeaders().trim().split("\r\n");
  const headers = lines.map((line) => line.split(/:\s*(.*)/s).slice(0, 2));
  return new Response(request.responseText, { status: request.status, headers });
}

/** Return the URL to POST to in order to undo a deletion, from its `Link`, or null. */
export function undoOf(link) {
  return link?.match(/<([^>]+)>;\s*rel="undo"/)?.[1] ?? null;
}

async function isUnknown(answer) {
  return (await problemOf(answer.clone())).outcome === "unknown";
}

async function problemOf(answer) {
  try {
    return { status: answer.status, ...(await answer.json()) };
  } catch {
    const detail = answer.status === 413 ? "That is too large." : `The service answered ${answer.status}.`;
    return { status: answer.status, code: "unknown", detail }; // a proxy in between
  }
}

function offline() {
  const detail = navigator.onLine ? "The service cannot be reached." : "You are offline.";
  return new Problem({ status: 0, code: "offline", detail });
}
