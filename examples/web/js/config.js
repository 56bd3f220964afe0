// Where the API is, told by two lines of index.html, and that nothing else may be asked.

const told = (name) => document.querySelector(`meta[name="${name}"]`).content.trim();

/** The API's base, without a slash at the end: https://example.org/api/v1 */
export const API = new URL(told("signpost-api"), document.baseURI).href.replace(/\/$/, "");

/** The origin that paths in its answers belong to. */
export const ORIGIN = new URL(API).origin;

/** Path of the service's own prefix: "" or "/blog". */
const PREFIX = new URL(API).pathname.replace(/\/api\/v1$/, "");

/** The service's own pages: its console, and what its error codes mean. */
export const DOCS = `${ORIGIN}${PREFIX}/docs`;

/** Narrow the policy of index.html, which cannot know the address: a second one only takes away. */
export function narrowPolicy() {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  const pictures = told("signpost-pictures") && new URL(told("signpost-pictures")).origin;
  policy.content = `img-src 'self' blob: data: ${ORIGIN} ${pictures}; connect-src 'self' ${ORIGIN}`;
  document.head.append(policy);
}

/** Return an address that the API told, whole: its paths belong to its origin, which may not be ours. */
export function resolve(address) {
  return URL.canParse(address, API) ? new URL(address, API).href : `${ORIGIN}/`;
}
