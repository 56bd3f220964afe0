// The client of examples/web for everybody: on a phone, in the dark, by keyboard, by screen reader (axe).
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { accessFaults, expectCalm, launch, tooWide } from "./browser.mjs";
import { PASSWORD, account, fresh, openAs, openClient, publish, send, visit } from "./web.mjs";

const PHONE = { width: 360, height: 640 };
const DESK = { width: 1280, height: 800 };
const LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung";
const BODY = `# A heading\n\n## Another\n\n> A quotation\n\n- one\n- two\n\n\`\`\`\n${"wide ".repeat(60)}\n\`\`\`\n\n` +
  `| ${"a | ".repeat(20)}\n| ${"- | ".repeat(20)}\n| ${`${LONG} | `.repeat(20)}\n\n[A link](https://example.org) ${LONG}`;

let browser;
let ada;
let post;

before(async () => {
  browser = await launch();
  ada = await account("ada");
  const bob = await account("bob");
  post = await publish(ada, { title: LONG, body: BODY, tags: ["walks", LONG.slice(0, 50)] });
  const asked = await send("POST", `/posts/${post.id}/comments`, { body: `Why? ${LONG}` }, bob.token);
  for (let depth = 0, parent = asked; depth < 6; depth += 1) {
    parent = await send("POST", `/posts/${post.id}/comments`, { body: "Because.", parent_id: parent.id }, ada.token);
  }
  await send("DELETE", `/comments/${asked.id}`, undefined, bob.token);
  await send("DELETE", `/posts/${(await publish(ada, { title: LONG })).id}`, undefined, ada.token);
  await send("PUT", `/users/${bob.id}/follow`, undefined, ada.token);
});

after(() => browser.close());

const pagesOf = () => ["/", "/feed", "/tags", "/tags/walks", "/search?q=walk", `/posts/${post.slug}`, "/write",
  `/write/${post.id}`, "/drafts", "/trash", `/users/${ada.username}`, `/users/${ada.username}/following`,
  "/settings", "/about", "/sign-in", "/sign-up", "/nowhere"];

for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [PHONE, DESK]) {
    it(`every page of ${viewport.width} px in ${colorScheme} colours fits and axe finds nothing`, async () => {
      // given
      const opened = await openAs(browser, ada, "/", { viewport, colorScheme, reducedMotion: "reduce" });
      const faults = {};
      // when
      for (const path of pagesOf()) {
        await visit(opened.page, path);
        const found = [...(await tooWide(opened.page)), ...(await accessFaults(opened.page))];
        if (found.length) faults[path] = found;
        assert.equal(await opened.page.locator("h1").count(), 1, path);
      }
      // then
      assert.deepEqual(faults, {});
      await expectCalm(opened);
    });
  }
}

describe("what opens", () => {
  for (const colorScheme of ["light", "dark"]) {
    it(`fits a phone in ${colorScheme} colours and axe finds nothing`, async () => {
      // given
      const opened = await openAs(browser, ada, "/trash", { viewport: PHONE, colorScheme, reducedMotion: "reduce" });
      const { page } = opened;
      const faults = [];
      const look = async () => faults.push(...(await tooWide(page)), ...(await accessFaults(page)));
      // when
      await page.getByRole("button", { name: /^Remove for good/ }).click();
      await look();
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /^Your menu/ }).click();
      await look();
      await visit(page, `/write/${post.id}`);
      await page.getByRole("button", { name: "Preview" }).click();
      await page.getByLabel("Tags").fill("mine");
      await look();
      const { version } = await send("GET", `/posts/${post.id}`);
      await send("PATCH", `/posts/${post.id}`, { tags: [`theirs-${version}`] }, ada.token);
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByRole("dialog").waitFor();
      await look();
      await page.keyboard.press("Escape");
      await visit(page, "/sign-up");
      await page.locator("main").getByRole("button", { name: "Sign up" }).click();
      await page.locator("[aria-invalid]").first().waitFor();
      await look();
      // then
      assert.deepEqual(faults, []);
      await expectCalm(opened);
    });
  }
});

describe("by keyboard alone", () => {
  it("one signs in, writes and publishes", async () => {
    // given
    const opened = await openClient(browser, "/sign-in");
    const { keyboard } = opened.page;
    const title = fresh("By hand");
    const on = (test) => opened.page.evaluate(test);
    const tabTo = async (name, key = "Tab") => {
      for (let step = 0; step < 40; step += 1) {
        await keyboard.press(key);
        if ((await on(() => document.activeElement.ariaLabel || document.activeElement.labels?.[0]?.textContent ||
          document.activeElement.textContent.trim())) === name) return;
      }
      assert.fail(`no way to ${name}`);
    };
    // when
    await tabTo("User name or email");
    await keyboard.type(ada.username);
    await tabTo("Password");
    await keyboard.type(PASSWORD);
    await keyboard.press("Enter");
    await opened.page.locator(".menu-button").waitFor();
    await opened.page.waitForFunction(() => document.activeElement.tagName === "H1");
    await tabTo("Write", "Shift+Tab");
    await keyboard.press("Enter");
    await opened.page.getByRole("heading", { name: "New post" }).waitFor();
    await opened.page.waitForFunction(() => document.activeElement.tagName === "H1");
    await tabTo("Title");
    await keyboard.type(title);
    await tabTo("Text");
    await keyboard.type("Some ");
    await keyboard.press("Control+b");
    await keyboard.type("bold");
    await tabTo("Publish");
    await keyboard.press("Enter");
    await opened.page.getByRole("heading", { level: 1, name: title }).waitFor();
    // then
    assert.equal(await opened.page.locator(".prose strong").innerText(), "bold");
    await expectCalm(opened);
  });

  it("one sees where one is", async () => {
    // given
    const opened = await openAs(browser, ada, `/posts/${post.slug}`);
    const seen = new Set();
    // when
    for (let step = 0; step < 25; step += 1) {
      await opened.page.keyboard.press("Tab");
      seen.add(await opened.page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        return `${outlineStyle} ${outlineWidth}`;
      }));
    }
    // then
    assert.deepEqual([...seen], ["solid 3px"]);
    await expectCalm(opened);
  });

  it("one skips to the content", async () => {
    // given
    const opened = await openClient(browser);
    // when
    await opened.page.keyboard.press("Tab");
    await opened.page.keyboard.press("Enter");
    // then
    assert.equal(await opened.page.evaluate(() => document.activeElement.id), "main");
    assert.equal(new URL(opened.page.url()).hash, "#/");
    await expectCalm(opened);
  });

  it("one leaves the menu by Escape", async () => {
    // given
    const opened = await openAs(browser, ada);
    const menu = opened.page.getByRole("button", { name: /^Your menu/ });
    await menu.focus();
    // when
    await opened.page.keyboard.press("Enter");
    await opened.page.keyboard.press("Tab");
    const inside = await opened.page.evaluate(() => document.activeElement.textContent);
    await opened.page.keyboard.press("Escape");
    // then
    assert.equal(inside, "Profile");
    assert.equal(await menu.evaluate((each) => each === document.activeElement && each.ariaExpanded), "false");
    await expectCalm(opened);
  });
});
