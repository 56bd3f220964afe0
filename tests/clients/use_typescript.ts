// What a user of the generated TypeScript client writes; run with URL, user name and password.

import { Configuration, PostsApi, ProblemFromJSON, ResponseError, SignInApi } from "./client/index.js";

declare const process: { argv: string[] };
const [url, username, password] = process.argv.slice(2);
const basePath = `${url}/api`;

const { accessToken } = await new SignInApi(new Configuration({ basePath })).createToken({
  tokenRequest: { grantType: "password", username, password },
});

const posts = new PostsApi(new Configuration({ basePath, accessToken }));
const post = await posts.createPost({
  postInput: { title: "Grüße from TypeScript", body: "*Hello*", tags: ["ÅÄÖ"], status: "published" },
});
console.log("created", post.version, post.title, post.tags);

const page = await posts.listPosts({ author: username, sort: "-created_at", limit: 100 });
console.log("listed", page.items.filter((each) => each.id === post.id).map((each) => each.title));

const ifMatch = (await posts.getPostRaw({ id: post.id })).raw.headers.get("ETag") ?? "";
const postPatch = { title: "Changed from TypeScript" };
const changed = await posts.patchPost({ id: post.id, ifMatch, postPatch });
console.log("patched", changed.version, changed.title);

for (const late of [
  () => posts.patchPost({ id: post.id, ifMatch, postPatch: { title: "Too late" } }),
  () => posts.deletePost({ id: post.id }).then(() => posts.getPost({ id: post.id })),
]) {
  try {
    await late();
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const problem = ProblemFromJSON(await error.response.json());
    console.log("refused", problem.status, problem.code);
  }
}
