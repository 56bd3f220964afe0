// The two tokens of a session, and how the tabs of one browser share them. It knows no HTTP.
//
// The access token is in memory only. The refresh token has to outlive a reload, and a page of another
// origin can have no cookie of the service's: so it is in sessionStorage, which ends with the tab and is
// not shared with other sites. A script that got into this page could read it; that none gets in is
// what the policy of index.html is for (no foreign scripts, no inline ones, Trusted Types). As it is good
// for one use only, a stolen one ends the session as soon as both have used it.

const KEY = "signpost-refresh-token";
const channel = new BroadcastChannel("signpost-session");
const listeners = new Set();
/** How long another tab may take to answer, in milliseconds. */
const PATIENCE = 150;

let access = null;
let refresh = sessionStorage.getItem(KEY);
/** Set while tokens that this tab did not ask for are awaited. */
let awaited = null;

export const accessToken = () => access;
export const refreshToken = () => refresh;

/** Keep what the service granted, and tell the other tabs, whose refresh token is spent by now. */
export function keep(grant, isNew = false) {
  take(grant.access_token, grant.refresh_token);
  channel.postMessage({ kind: "granted", access, refresh, isNew });
}

/** Forget both; with `everywhere` in all tabs, because the session has ended. */
export function forget(everywhere = true) {
  take(null, null);
  if (everywhere) channel.postMessage({ kind: "ended" });
}

/** Call when another tab has signed in or out. */
export function onChange(listener) {
  listeners.add(listener);
}

/** A new tab has no tokens of its own: ask the others. */
export async function askOtherTabs() {
  if (refresh) return;
  await new Promise((done) => {
    awaited = done;
    channel.postMessage({ kind: "asked" });
    setTimeout(done, PATIENCE);
  });
  awaited = null;
}

/** Run one refresh at a time, in whichever tab: a token that is used twice ends the session. */
export function oneAtATime(work) {
  return navigator.locks ? navigator.locks.request("signpost-refresh", work) : work();
}

function take(newAccess, newRefresh) {
  access = newAccess;
  refresh = newRefresh;
  if (refresh) sessionStorage.setItem(KEY, refresh);
  else sessionStorage.removeItem(KEY);
}

channel.addEventListener("message", ({ data }) => {
  if (data.kind === "asked" && refresh) channel.postMessage({ kind: "granted", access, refresh });
  if (data.kind === "ended" && refresh) {
    take(null, null);
    listeners.forEach((each) => each());
  }
  if (data.kind !== "granted" || !(refresh || awaited)) return;
  take(data.access, data.refresh);
  awaited?.();
  if (data.isNew) listeners.forEach((each) => each()); // perhaps somebody else
});
