// The console in a browser: it describes every operation, signs in by password and calls them.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BASE, expectCalm, launch, openPage } from "./browser.mjs";

const USER = process.env.SIGNPOST_USER;
const PASSWORD = process.env.SIGNPOST_PASSWORD;

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

async function openConsole() {
  const opened = await openPage(browser);
  await opened.page.goto(`${BASE}/docs`);
  await opened.page.waitForSelector(".opblock");
  return opened;
}

async function signIn(page, password = PASSWORD) {
  await page.click(".auth-wrapper .authorize");
  const form = page.locator(".auth-container", { hasText: "OAuth2" });
  await form.locator("#oauth_username").fill(USER);
  await form.locator("#oauth_password").fill(password);
  await form.locator("button.authorize").click();
  return form;
}

/** Open an operation, fill it in and execute it; return its status and all that is shown. */
async function tryOut(page, operation, body, choices = {}) {
  const block = page.locator(`.opblock[id$="-${operation}"]`);
  await block.locator(".opblock-summary-control").click();
  await block.locator(".try-out__btn").click();
  if (body) {
    await block.locator("textarea.body-param__text").fill(JSON.stringify(body));
  }
  for (const [name, value] of Object.entries(choices)) {
    await block.locator(`tr[data-param-name="${name}"] select`).selectOption(value);
  }
  await block.locator("button.execute").click();
  const answer = block.locator(".live-responses-table");
  await answer.waitFor();
  const status = await answer.locator(".response .response-col_status").innerText();
  return { status: status.trim(), text: await answer.innerText() };
}

describe("console", () => {
  it("shows every operation of the specification", async () => {
    // given
    const specification = await (await fetch(`${BASE}/api/v1/openapi.json`)).json();
    const operations = Object.values(specification.paths).flatMap(Object.values);
    // when
    const opened = await openConsole();
    // then
    assert.equal(await opened.page.locator(".opblock").count(), operations.length);
    assert.equal(await opened.page.locator(".errors-wrapper").count(), 0);
    await expectCalm(opened);
  });

  it("opens operations of every kind without a complaint", async () => {
    // given
    const opened = await openConsole();
    for (const operation of ["listPosts", "patchPost", "deletePost", "createToken"]) {
      const block = opened.page.locator(`.opblock[id$="-${operation}"]`);
      // when
      await block.locator(".opblock-summary-control").click();
      // then
      await block.locator(".responses-wrapper").waitFor();
    }
    await expectCalm(opened);
  });

  it("signs in by password and creates a post", async () => {
    // given
    const opened = await openConsole();
    const form = await signIn(opened.page);
    await form.locator("text=Authorized").first().waitFor();
    await opened.page.click(".modal-ux .close-modal");
    const title = `From the console ${Date.now()}`;
    // when
    const answer = await tryOut(opened.page, "createPost", { title, body: "*Hello.*" });
    const drafts = await tryOut(opened.page, "listPosts", null, { status: "draft" });
    // then
    assert.equal(answer.status, "201", answer.text);
    assert.match(answer.text, new RegExp(title));
    assert.match(drafts.text, new RegExp(title)); // the token went along where none is needed
    await expectCalm(opened);
  });

  it("tells that a password is wrong", async () => {
    // given
    const opened = await openConsole();
    // when
    const form = await signIn(opened.page, "not this one");
    // then
    await form.locator(".errors").waitFor();
    assert.equal(await form.locator("text=Authorized").count(), 0);
    await expectCalm(opened);
  });

  it("shows the problem to whom is not signed in", async () => {
    // given
    const opened = await openConsole();
    // when
    const answer = await tryOut(opened.page, "createPost", { title: "No", body: "No." });
    // then
    assert.equal(answer.status, "401", answer.text);
    assert.match(answer.text, /unauthenticated/);
    await expectCalm(opened);
  });

  it("forgets the token with the page", async () => {
    // given
    const opened = await openConsole();
    const form = await signIn(opened.page);
    await form.locator("text=Authorized").first().waitFor();
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
