// What a user of openapi-typescript and openapi-fetch writes; run with URL, user name and password.

import createClient from "openapi-fetch";
import type { components, paths } from "./signpost.js";

declare const process: { argv: string[] };
const [url, username, password] = process.argv.slice(2);
// Lists can also be streamed as text; this client never asks for that.
type Media = "application/json" | "application/problem+json";
const api = createClient<paths, Media>({ baseUrl: `${url}/api` });

function found<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (answer.data === undefined) throw new Error(answer.error?.code);
  return answer.data;
}

const body = { grant_type: "password", username, password } as const;
const { access_token } = found(await api.POST("/v1/auth/token", { body }));
api.use({
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${access_token}`);
  },
});

const draft = { title: "Grüße from types", body: "*Hello*", tags: ["ÅÄÖ"], status: "published" } as const;
const post = found(await api.POST("/v1/posts", { body: { ...draft, tags: [...draft.tags] } }));
console.log("created", post.version, post.title, post.tags);

const query = { author: username, sort: "-created_at", limit: 100 } as const;
const page = found(await api.GET("/v1/posts", { params: { query } }));
console.log("listed", page.items.filter((each) => each.id === post.id).map((each) => each.title));

const path = { id: post.id };
const etag = (await api.GET("/v1/posts/{id}", { params: { path } })).response.headers.get("ETag");
const params = { path, header: { "If-Match": etag ?? "" } };
const changed = found(await api.PATCH("/v1/posts/{id}", { params, body: { title: "Changed from types" } }));
console.log("patched", changed.version, changed.title);

const late = await api.PATCH("/v1/posts/{id}", { params, body: { title: "Too late" } });
console.log("refused", late.error?.status, late.error?.code);
await api.DELETE("/v1/posts/{id}", { params: { path } });
const gone = await api.GET("/v1/posts/{id}", { params: { path } });
console.log("refused", gone.error?.status, gone.error?.code);
