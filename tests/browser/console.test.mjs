// The console in a browser: it describes every operation, signs in by password and calls them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BASE, expectCalm, launch, openPage } from "./browser.mjs";
import { closed, openConsole, press, signIn, signedIn } from "./console.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

describe("console", () => {
  it("shows every operation of the specification", async () => {
    // given
    const specification = await (await fetch(`${BASE}/api/v1/openapi.json`)).json();
    const operations = Object.values(specification.paths).flatMap(Object.values);
    const groups = specification.tags.map((each) => each.name);
    // when
    const opened = await openConsole(browser);
    // then
    assert.equal(await opened.page.locator(".opblock").count(), operations.length);
    assert.deepEqual(
      await opened.page.locator(".opblock-tag").evaluateAll((all) => all.map((each) => each.dataset.tag)),
      groups,
    );
    assert.equal(await opened.page.locator(".errors-wrapper").count(), 0);
    await expectCalm(opened);
  });

  it("opens the operation that its URL names, after a reload too", async () => {
    // given
    const opened = await openConsole(browser, {}, "#/Posts/createPost");
    const block = opened.page.locator("#operations-Posts-createPost.is-open");
    await block.locator(".responses-wrapper").waitFor();
    // when
    await closed(opened.page, "createPost");
    await opened.page.click("#operations-Users-getUser .opblock-summary-control");
    const { hash } = new URL(opened.page.url());
    await opened.page.reload();
    // then
    assert.equal(hash, "#/Users/getUser");
    await opened.page.locator("#operations-Users-getUser.is-open .responses-wrapper").waitFor();
    assert.equal(await block.count(), 0);
    await expectCalm(opened);
  });

  it("tells that a password is wrong", async () => {
    // given
    const opened = await openConsole(browser);
    // when
    const form = await signIn(opened.page, "not this one");
    // then
    await form.locator(".errors").waitFor();
    assert.equal(await form.locator("text=Authorized").count(), 0);
    await expectCalm(opened);
  });

  it("asks for no more than a name and a password", async () => {
    // given
    const opened = await openConsole(browser);
    // when
    await opened.page.click(".auth-wrapper .authorize");
    const form = opened.page.locator(".auth-container", { hasText: "OAuth2" });
    const asked = await form.locator("input:visible, select:visible").evaluateAll((all) =>
      all.map((each) => each.id),
    );
    // then
    assert.deepEqual(asked, ["oauth_username", "oauth_password"]);
    await expectCalm(opened);
  });

  it("shows the problem to whom is not signed in", async () => {
    // given
    const opened = await openConsole(browser);
    // when
    const answer = await press(opened.page, "createPost");
    // then
    assert.equal(answer.status, "401", answer.text);
    assert.match(answer.text, /unauthenticated/);
    await expectCalm(opened);
  });

  it("forgets the token with the page", async () => {
    // given
    const opened = await signedIn(browser);
    // when
    const kept = await opened.page.evaluate(() => [
      localStorage.length,
      sessionStorage.length,
      document.cookie,
    ]);
    // then
    assert.deepEqual(kept, [0, 0, ""]);
    await expectCalm(opened);
  });
});

describe("examples", () => {
  it("create, read and delete a post by Execute alone", async () => {
    // given
    const opened = await signedIn(browser);
    const made = await press(opened.page, "createPost");
    const id = /"id": (\d+)/.exec(made.text)[1];
    // when
    const read = await press(opened.page, "getPost");
    const listed = await press(opened.page, "listPosts");
    const deleted = await press(opened.page, "deletePost");
    const gone = await fetch(`${BASE}/api/v1/posts/${id}`);
    // then
    assert.deepEqual(
      [made, read, listed, deleted].map((each) => each.status),
      ["201", "200", "200", "204"],
    );
    for (const { text } of [read, listed]) {
      assert.match(text, new RegExp(`"id": ${id},`));
    }
    assert.equal(gone.status, 404);
    await expectCalm(opened);
  });

  it("create as many users as one likes", async () => {
    // given
    const opened = await signedIn(browser);
    // when
    const first = await press(opened.page, "createUser");
    const second = await press(opened.page, "createUser", { reopens: false });
    const taken = await press(opened.page, "createUser", {
      body: '{"username": "admin", "email": "a@example.org", "password": "an elephant in Cairo"}',
    });
    // then
    assert.deepEqual([first.status, second.status], ["201", "201"], second.text);
    assert.equal(taken.status, "409"); // what is typed is sent as it is
    await expectCalm(opened);
  });

  it("work for every operation", async () => {
    // given
    const opened = await signedIn(browser);
    const specification = await (await fetch(`${BASE}/api/v1/openapi.json`)).json();
    const left = ["createToken", "deleteSession"]; // knows no password; ends the session that asks
    const offered = Object.values(specification.paths)
      .flatMap(Object.values)
      .map((each) => each.operationId)
      .filter((id) => !left.includes(id));
    // What others still ask for goes last.
    const last = ["deleteComment", "deleteFile"];
    const operations = [...offered.filter((id) => !last.includes(id)), ...last];
    const used = ["createPost", "createPost", "createUser", "createUser", "deletePost", "deletePost"];
    const statuses = {};
    // when
    for (const id of [...used, "createPost", ...operations, "deleteSession"]) {
      const { status, text } = await press(opened.page, id);
      await closed(opened.page, id);
      statuses[id] = /^2/.test(status) ? "good" : `${status} ${text}`;
    }
    // then
    assert.deepEqual(statuses, Object.fromEntries(Object.keys(statuses).map((id) => [id, "good"])));
    await expectCalm(opened);
  });
});
