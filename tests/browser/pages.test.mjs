// Our own pages in a browser: where they lead, and that their commands can be copied.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BASE, expectCalm, launch, openPage } from "./browser.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

describe("links", () => {
  for (const path of ["/", "/problems"]) {
    it(`of ${path} all lead somewhere`, async () => {
      // given
      const opened = await openPage(browser);
      await opened.page.goto(`${BASE}${path}`);
      // when
      const links = await opened.page
        .locator("a")
        .evaluateAll((all) => all.map((each) => each.href));
      const statuses = await Promise.all(links.map(async (url) => (await fetch(url)).status));
      // then
      assert.ok(links.length > 5);
      assert.deepEqual([...new Set(statuses)], [200]);
      await expectCalm(opened);
    });
  }
});

describe("commands of the index", () => {
  it("are copied by a button", async () => {
    // given
    const opened = await openPage(browser, { permissions: ["clipboard-read", "clipboard-write"] });
    await opened.page.goto(`${BASE}/`);
    const shown = await opened.page.locator(".command code").allInnerTexts();
    const copied = [];
    // when
    for (const button of await opened.page.locator(".command button").all()) {
      await button.click();
      await opened.page.waitForFunction((each) => each.textContent === "Copied", await button.elementHandle());
      copied.push(await opened.page.evaluate(() => navigator.clipboard.readText()));
    }
    // then
    assert.equal(copied.length, 4);
    assert.deepEqual(copied, shown);
    await expectCalm(opened);
  });

  it("are there without JavaScript, too", async () => {
    // given
    const opened = await openPage(browser, { javaScriptEnabled: false });
    // when
    await opened.page.goto(`${BASE}/`);
    // then
    assert.equal(await opened.page.locator(".command code").count(), 4);
    assert.equal(await opened.page.locator(".command button").count(), 0);
    await expectCalm(opened);
  });
});
