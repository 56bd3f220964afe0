// Our own pages in a browser, on a narrow phone and on a desk.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BASE, expectCalm, launch, openPage } from "./browser.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

for (const width of [360, 1280]) {
  for (const path of ["/", "/problems", "/problems/validation"]) {
    describe(`${path} of ${width} px`, () => {
      it("fits, is styled and breaks no policy", async () => {
        // given
        const opened = await openPage(browser, { viewport: { width, height: 640 } });
        // when
        await opened.page.goto(`${BASE}${path}`);
        // then
        const seen = await opened.page.evaluate(() => ({
          width: document.documentElement.scrollWidth,
          font: getComputedStyle(document.documentElement).fontFamily,
          heading: document.querySelectorAll("h1").length,
        }));
        assert.deepEqual(seen, { width, font: "system-ui, sans-serif", heading: 1 });
        await expectCalm(opened);
      });
    });
  }
}

describe("links of the index", () => {
  it("all lead somewhere", async () => {
    // given
    const opened = await openPage(browser);
    await opened.page.goto(`${BASE}/`);
    // when
    const links = await opened.page.locator("a").evaluateAll((all) => all.map((each) => each.href));
    const statuses = await Promise.all(links.map(async (url) => (await fetch(url)).status));
    // then
    assert.ok(links.length > 5);
    assert.deepEqual([...new Set(statuses)], [200]);
    await expectCalm(opened);
  });
});
