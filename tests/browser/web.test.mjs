// The client of examples/web as two people use it: one writes, one reads and answers.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { expectCalm, launch } from "./browser.mjs";
import { PASSWORD, account, answered, fresh, openAs, openClient, picture, publish, send, told, visit } from "./web.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

/** Fill in a new post; it is not saved yet. */
async function write(page, { title, body }) {
  await visit(page, "/write");
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Text", { exact: true }).fill(body);
}

const button = (page, name, options = {}) => page.locator("main").getByRole("button", { name, exact: true, ...options });
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });

describe("account", () => {
  it("is made by signing up, and stays after a reload", async () => {
    // given
    const opened = await openClient(browser, "/sign-up");
    const { page } = opened;
    const username = fresh("ada");
    // when
    await page.getByLabel("User name").fill(username);
    await page.getByLabel("Email").fill(`${username}@example.org`);
    await page.getByLabel("Password").fill(PASSWORD);
    await button(page, "Sign up").click();
    await told(page, `Welcome, ${username}.`);
    await page.reload();
    // then
    await page.getByRole("button", { name: `Your menu, ${username}` }).waitFor();
    await expectCalm(opened);
  });

  it("shows what is wrong at the field it belongs to", async () => {
    // given
    const { username } = await account("ada");
    const opened = await openClient(browser, "/sign-up");
    const { page } = opened;
    // when
    await page.getByLabel("User name").fill(username);
    await page.getByLabel("Email").fill("nobody");
    await page.getByLabel("Password").fill("short");
    await button(page, "Sign up").click();
    await page.locator('[data-field="password"] .fault').filter({ hasText: /./ }).waitFor();
    // then
    const wrong = await page.locator('[aria-invalid="true"]').evaluateAll((all) => all.map((each) => each.name));
    assert.deepEqual(wrong, ["email", "password"]);
    assert.equal(await page.evaluate(() => document.activeElement.name), "email");
    // when
    await page.getByLabel("Email").fill(`${fresh("a")}@example.org`);
    await page.getByLabel("Password").fill(PASSWORD);
    await button(page, "Sign up").click();
    // then
    await page.locator('[data-field="username"] .fault').filter({ hasText: /./ }).waitFor();
    assert.equal(await page.locator(".menu-button").count(), 0);
    await expectCalm(opened);
  });

  it("ends everywhere by signing out", async () => {
    // given
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const first = await openAs(context, await account("ada"));
    const second = await openClient(context);
    await second.page.locator(".menu-button").waitFor(); // the new tab is signed in, too
    // when
    await first.page.getByRole("button", { name: /^Your menu/ }).click();
    await first.page.getByRole("button", { name: "Sign out" }).click();
    // then
    for (const { page } of [first, second]) {
      await page.locator(".top").getByRole("link", { name: "Sign in" }).waitFor();
      assert.deepEqual(await page.evaluate(() => [sessionStorage.length, localStorage.length]), [0, 0]);
    }
    await expectCalm(first);
    await expectCalm(second);
    await context.close();
  });

  it("asks before what is not saved is discarded by signing out", async () => {
    // given
    const opened = await openAs(browser, await account("ada"));
    const { page } = opened;
    const dialog = page.getByRole("dialog", { name: "Discard what is not saved?" });
    const leave = async (answer) => {
      await page.getByRole("button", { name: /^Your menu/ }).click();
      await page.locator(".menu").getByRole("button", { name: "Sign out" }).click();
      await dialog.getByRole("button", { name: answer }).click();
    };
    await write(page, { title: "A secret", body: "Not for all." });
    await page.getByText("Kept on this device, not saved yet.").waitFor();
    // when
    await leave("Cancel");
    // then
    assert.equal(await page.getByLabel("Title").inputValue(), "A secret");
    // when
    await leave("Sign out");
    await told(page, "You are signed out.");
    // then
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await expectCalm(opened);
  });

  it("refreshes its token once it is refused", async () => {
    // given
    const opened = await openAs(browser, await account("ada"));
    const { page } = opened;
    const seen = [];
    page.on("request", (each) => /token|trash/.test(each.url()) && seen.push(`${each.method()} ${new URL(each.url()).pathname.split("/").at(-1)}`));
    let isRefused = false;
    await page.route("**/api/v1/trash*", (route) => {
      if (isRefused || route.request().method() !== "GET") return route.fallback();
      isRefused = true;
      const headers = { "Access-Control-Allow-Origin": "*", "Content-Type": "application/problem+json" };
      return route.fulfill({ status: 401, headers, body: '{"status": 401, "code": "unauthenticated"}' });
    });
    // when
    await visit(page, "/trash");
    // then
    await page.getByText("The trash is empty").waitFor();
    assert.deepEqual(seen.filter((each) => !each.startsWith("OPTIONS")), ["GET trash", "POST token", "GET trash"]);
    await expectCalm(opened);
  });
});

describe("tabs", () => {
  it("share the newest token, so that none ends the session of all", async () => {
    // given
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const first = await openAs(context, await account("ada"));
    const second = await openClient(context);
    await second.page.locator(".menu-button").waitFor();
    const kept = ({ page }) => page.evaluate(() => sessionStorage.getItem("signpost-refresh-token"));
    const used = [await kept(first)];
    // when
    for (const { page } of [first, first, second, first]) {
      await page.reload(); // takes a new token
      await page.locator(".menu-button").waitFor();
      used.push(await kept(first));
      assert.equal(await kept(second), used.at(-1));
    }
    // then
    assert.equal(new Set(used).size, 5);
    await expectCalm(first);
    await expectCalm(second);
    await context.close();
  });
});

describe("writing", () => {
  it("publishes a post with pictures, after a preview", async () => {
    // given
    const opened = await openAs(browser, await account("ada"));
    const { page } = opened;
    const title = fresh("The harbour");
    // when
    await write(page, { title, body: "# Night\n\nA *quiet* one.\n\n" });
    await page.locator(".toolbar input[type=file]").setInputFiles(picture());
    await page.locator(".preview img").waitFor();
    const previewed = await page.locator(".preview em").innerText();
    await page.locator(".cover-choice input[type=file]").setInputFiles(picture("cover.png"));
    await page.locator(".cover-small").waitFor();
    await page.getByLabel("Tags").fill("harbours, nights");
    await button(page, "Publish").click();
    await heading(page, title).waitFor();
    // then
    assert.equal(previewed, "quiet");
    assert.deepEqual(await page.locator("article .tags li").allInnerTexts(), ["harbours", "nights"]);
    for (const shown of [".prose img", "img.cover"]) {
      await page.waitForFunction((each) => document.querySelector(each).naturalWidth > 0, shown);
    }
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await expectCalm(opened);
  });

  it("takes no picture that is none", async () => {
    // given
    const ada = await account("ada");
    const opened = await openAs(browser, ada);
    const { page } = opened;
    await write(page, { title: "Notes", body: "One." });
    // when
    const notes = { ...picture("notes.png"), buffer: Buffer.from("no pixels") };
    await page.locator(".toolbar input[type=file]").setInputFiles(notes);
    await told(page, "notes.png is not a picture.");
    // then
    assert.equal(await page.getByLabel("Text", { exact: true }).inputValue(), "One.");
    assert.deepEqual((await send("GET", "/files", undefined, ada.token)).items, []);
    await expectCalm(opened);
  });

  it("keeps a draft to oneself, and what is not saved on the device", async () => {
    // given
    const ada = await account("ada");
    const opened = await openAs(browser, ada);
    const { page } = opened;
    const title = fresh("Unfinished");
    // when
    await write(page, { title, body: "First." });
    await button(page, "Save draft").click();
    await page.getByText("Saved as a draft.").waitFor();
    await page.getByLabel("Text", { exact: true }).fill("First, and second.");
    await page.getByText("Kept on this device, not saved yet.").waitFor();
    await page.reload();
    // then
    await page.getByText("and did not save").waitFor();
    assert.equal(await page.getByLabel("Text", { exact: true }).inputValue(), "First, and second.");
    const { items } = await send("GET", "/posts?status=draft", undefined, ada.token);
    assert.deepEqual(items.map((each) => [each.title, each.body]), [[title, "First."]]);
    // when
    await button(page, "Discard it").click();
    await page.waitForFunction(() => document.querySelector(".editor-text").value === "First.");
    // then
    await visit(page, "/drafts");
    await page.getByRole("link", { name: title }).waitFor();
    await expectCalm(opened);
  });

  it("shows what is wrong in fields that were folded away, and publishes later", async () => {
    // given
    const ada = await account("ada");
    const taken = await publish(ada);
    const opened = await openAs(browser, ada);
    const { page } = opened;
    const title = fresh("Tomorrow");
    await write(page, { title, body: "Not yet." });
    await page.locator("summary").click();
    await page.getByLabel("Address").fill(taken.slug);
    await page.getByLabel("Publish at").fill("2100-01-01T12:00");
    await page.locator("summary").click();
    // when
    await button(page, "Publish").click();
    await page.locator('[data-field="slug"] .fault').filter({ hasText: /./ }).waitFor();
    await page.getByLabel("Address").fill(title.toLowerCase());
    await button(page, "Publish").click();
    // then
    await told(page, "Scheduled.");
    await page.locator(".badge", { hasText: "scheduled" }).waitFor();
    const { items } = await send("GET", `/posts?author=${ada.username}`);
    assert.deepEqual(items.map((each) => each.id), [taken.id]);
    await expectCalm(opened);
  });

  it("loses nothing when somebody else was faster", async () => {
    // given
    const ada = await account("ada");
    const post = await publish(ada, { body: "As it was." });
    const opened = await openAs(browser, ada, `/write/${post.id}`);
    const { page } = opened;
    await page.getByLabel("Title").fill(`${post.title}, mine`);
    await page.getByLabel("Text", { exact: true }).fill("Mine.");
    await send("PATCH", `/posts/${post.id}`, { body: "Theirs.", tags: ["theirs"] }, ada.token);
    // when
    await button(page, "Save").click();
    const dialog = page.getByRole("dialog", { name: "This post has changed" });
    await dialog.waitFor();
    const shown = await dialog.locator("pre").allInnerTexts();
    const before = await send("GET", `/posts/${post.id}`);
    await dialog.getByLabel("Both, one below the other").check();
    await dialog.getByRole("button", { name: "Edit this" }).click();
    await page.waitForFunction(() => document.querySelector(".editor-text").value === "Mine.\n\nTheirs.");
    await page.getByLabel("Text", { exact: true }).fill("Ours.");
    await button(page, "Save").click();
    await heading(page, `${post.title}, mine`).waitFor();
    // then
    assert.deepEqual(shown, ["Mine.", "Theirs."].map((each) => `${each}\n`));
    assert.equal(before.title, post.title); // nothing was overwritten
    const { title, body, tags } = await send("GET", `/posts/${post.id}`);
    assert.deepEqual([title, body, tags], [`${post.title}, mine`, "Ours.", ["theirs"]]);
    await expectCalm(opened);
  });

  it("runs nothing that somebody wrote", async () => {
    // given
    const hostile = '<img src="x" onerror="document.title=1"><script>document.title=1</script>\n\n' +
      "[a](javascript:document.title=1) <svg onload=alert(1)></svg> ![b](https://elsewhere.example/b.png)";
    const post = await publish(await account("mallory"), { body: hostile, excerpt: "<b onclick=alert(1)>x</b>" });
    const opened = await openAs(browser, await account("ada"), `/posts/${post.slug}`);
    // when
    const links = await opened.page.locator(".prose a").evaluateAll((all) =>
      all.map((each) => each.getAttribute("href")));
    // then
    assert.deepEqual(links.filter(Boolean).map((each) => new URL(each).pathname.split("/").at(-1)), ["x", "b.png"]);
    assert.equal(await opened.page.locator(".prose img").count(), 0);
    assert.equal(await opened.page.title(), `${post.title} - Signpost`);
    await expectCalm(opened);
    // when
    const own = await openAs(browser, await account("ada"));
    await write(own.page, { title: "A copy", body: hostile });
    await own.page.locator(".preview a").first().waitFor();
    // then
    for (const place of [".preview script", ".preview svg", ".preview [onerror]"]) {
      assert.equal(await own.page.locator(place).count(), 0, place);
    }
    assert.equal(await own.page.title(), "New post - Signpost");
    // While it is cleaned the browser itself says that it would not have run.
    assert.deepEqual(own.faults.filter((each) => !/event handler|script-src-attr/.test(each)), []);
    await own.page.close();
  });
});

describe("a reader", () => {
  it("likes, follows, and has the author's posts in the feed", async () => {
    // given
    const [ada, bob] = await Promise.all([account("ada"), account("bob")]);
    const post = await publish(ada);
    const opened = await openAs(browser, bob, `/posts/${post.slug}`);
    const { page } = opened;
    // when
    await answered(page, "/like", () => button(page, "Like, 0 likes").click());
    await button(page, "Like, 1 like", { pressed: true }).waitFor();
    await page.locator(".post-head").getByRole("link", { name: ada.username }).click();
    await answered(page, "/follow", () => button(page, "Follow").click());
    await page.getByText("1 follower", { exact: true }).waitFor();
    await visit(page, "/feed");
    // then
    await page.getByRole("link", { name: post.title }).waitFor();
    assert.equal((await send("GET", `/posts/${post.id}`)).likes_count, 1);
    // when
    await visit(page, `/users/${ada.username}`);
    await answered(page, "/follow", () => button(page, "Following").click());
    await page.getByText("0 followers").waitFor();
    await visit(page, "/feed");
    // then
    await page.getByText("Your feed is empty").waitFor();
    await expectCalm(opened);
  });

  it("talks in threads, in which a deleted comment leaves a gap", async () => {
    // given
    const [ada, bob] = await Promise.all([account("ada"), account("bob")]);
    const post = await publish(ada);
    const bobs = await openAs(browser, bob, `/posts/${post.slug}`);
    await bobs.page.getByLabel("Write a comment").fill("Where is that?");
    await button(bobs.page, "Comment").click();
    await bobs.page.getByRole("heading", { name: "1 comment" }).waitFor();
    const adas = await openAs(browser, ada, `/posts/${post.slug}`);
    // when
    await button(adas.page, "Reply").click();
    await adas.page.getByLabel("Your reply").fill("In the south.");
    await adas.page.locator(".comment form").getByRole("button", { name: "Reply" }).click();
    await adas.page.locator(".thread .thread").getByText("In the south.").waitFor();
    await bobs.page.reload();
    const own = bobs.page.getByRole("article", { name: `Comment by ${bob.username}` });
    await own.getByRole("button", { name: "Edit" }).click();
    await own.getByLabel("Your comment").fill("Where was that?");
    await own.getByRole("button", { name: "Save" }).click();
    await own.getByText("Where was that?").waitFor();
    await own.getByRole("button", { name: "Delete" }).click();
    // then
    await bobs.page.getByText("This comment was deleted.").waitFor();
    await bobs.page.locator(".thread .thread").getByText("In the south.").waitFor();
    await bobs.page.getByRole("heading", { name: "1 comment" }).waitFor();
    // when
    await (await told(bobs.page, "The comment is in the trash.")).getByRole("button", { name: "Undo" }).click();
    // then
    await own.getByText("Where was that?").waitFor();
    assert.equal((await send("GET", `/posts/${post.id}`)).comments_count, 2);
    await expectCalm(adas);
    await expectCalm(bobs);
  });

  it("finds posts and people by words", async () => {
    // given
    const ada = await account("ada");
    const word = fresh("lamp").replace("-", "");
    await publish(ada, { body: `The ${word} by the stairs.` });
    const opened = await openClient(browser);
    const { page } = opened;
    // when
    await page.locator(".top").getByRole("searchbox").fill(word);
    await page.keyboard.press("Enter");
    await heading(page, `Results for “${word}”`).waitFor();
    const marked = await page.locator(".excerpt mark").allInnerTexts();
    await page.locator("main").getByRole("searchbox").fill(ada.username);
    await button(page, "Search").click();
    // then
    assert.deepEqual(marked, [word]);
    await page.locator(".people").getByText(ada.username).waitFor();
    await expectCalm(opened);
  });

  it("sees more of a list", async () => {
    // given
    const ada = await account("ada");
    const tag = fresh("walks");
    for (let n = 0; n < 22; n += 1) await publish(ada, { tags: [tag] });
    const opened = await openClient(browser, `/tags/${tag}`);
    const { page } = opened;
    // when
    await button(page, "Show more").click();
    await page.waitForFunction(() => document.querySelectorAll(".card").length === 22);
    // then
    assert.equal(await button(page, "Show more").count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement.closest(".card") !== null), true);
    await expectCalm(opened);
  });
});

describe("going back", () => {
  it("ends where one was", async () => {
    // given
    const ada = await account("ada");
    const tag = fresh("walks");
    for (let n = 0; n < 15; n += 1) await publish(ada, { tags: [tag] });
    const opened = await openClient(browser, `/tags/${tag}`, { viewport: { width: 800, height: 600 } });
    const { page } = opened;
    const card = page.locator(".card h2 a").nth(12);
    const title = await card.innerText();
    // when
    await card.scrollIntoViewIfNeeded();
    const place = await page.evaluate(() => window.scrollY);
    await card.click();
    await heading(page, title).waitFor();
    const onTop = await page.evaluate(() => [window.scrollY, document.activeElement.textContent]);
    await page.goBack();
    await card.waitFor();
    // then
    assert.ok(place > 600, String(place));
    assert.deepEqual(onTop, [0, title]);
    await page.waitForFunction((y) => window.scrollY === y, place);
    // when
    await card.click();
    await heading(page, title).waitFor();
    await page.locator("article .tag").click();
    await card.waitFor();
    // then
    assert.equal(await page.evaluate(() => window.scrollY), 0); // by a link one begins at the top
    await expectCalm(opened);
  });
});

describe("the trash", () => {
  it("gives a post back by one press, and by its page", async () => {
    // given
    const ada = await account("ada");
    const post = await publish(ada);
    const opened = await openAs(browser, ada, `/posts/${post.slug}`);
    const { page } = opened;
    // when
    await button(page, "Delete").click();
    await (await told(page, "The post is in the trash.")).getByRole("button", { name: "Undo" }).click();
    // then
    await heading(page, post.title).waitFor();
    // when
    await button(page, "Delete").click();
    await told(page, "The post is in the trash.");
    await visit(page, "/trash");
    await button(page, `Restore ${post.title}`).click();
    // then
    await page.getByText("Nothing is left in the trash.").waitFor();
    assert.equal((await send("GET", `/posts/${post.id}`)).title, post.title);
    await expectCalm(opened);
  });

  it("asks before it removes something for good", async () => {
    // given
    const ada = await account("ada");
    const post = await publish(ada);
    await send("DELETE", `/posts/${post.id}`, undefined, ada.token);
    const opened = await openAs(browser, ada, "/trash");
    const { page } = opened;
    const purge = button(page, `Remove for good ${post.title}`);
    // when
    await purge.click();
    await page.keyboard.press("Escape");
    // then
    assert.equal((await send("GET", "/trash", undefined, ada.token)).items.length, 1);
    await page.waitForFunction((title) => document.activeElement.textContent === `Remove for good${title}`, post.title);
    // when
    await purge.click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove for good" }).click();
    // then
    await page.getByText("Nothing is left in the trash.").waitFor();
    assert.equal((await send("GET", "/trash", undefined, ada.token)).items.length, 0);
    await expectCalm(opened);
  });
});

describe("a bad connection", () => {
  it("is waited for where the service is busy", async () => {
    // given
    const opened = await openClient(browser);
    const { page } = opened;
    let asked = 0;
    await page.route("**/api/v1/tags?*", (route) => {
      if (route.request().method() !== "GET") return route.fallback();
      asked += 1;
      if (asked > 1) return route.fallback();
      const headers = { "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After",
        "Retry-After": "1", "Content-Type": "application/problem+json" };
      return route.fulfill({ status: 503, headers, body: '{"status": 503, "code": "unavailable"}' });
    });
    // when
    await visit(page, "/tags");
    // then
    assert.equal(asked, 2);
    await told(page, "The service is busy.");
    await expectCalm(opened);
  });

  it("is told, and nothing that was typed is lost", async () => {
    // given
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const opened = await openAs(context, await account("ada"));
    const { page } = opened;
    const title = fresh("On a train");
    await write(page, { title, body: "Through a tunnel." });
    // when
    await context.setOffline(true);
    await page.getByText("You are offline.").first().waitFor();
    await button(page, "Publish").click();
    await page.getByRole("alert").getByText("You are offline.").waitFor();
    await context.setOffline(false);
    await button(page, "Publish").click();
    // then
    await heading(page, title).waitFor();
    await expectCalm(opened);
    await context.close();
  });

  it("that says no more than 404 is a page of its own", async () => {
    // given
    const opened = await openClient(browser, `/posts/${fresh("nothing")}`);
    // when
    const shown = await heading(opened.page, "Nothing here").count();
    // then
    assert.equal(shown, 1);
    await expectCalm(opened);
  });
});
