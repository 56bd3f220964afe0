// Every page for everybody: on a phone, in the dark, by keyboard, by screen reader (axe).
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BASE, accessFaults, expectCalm, launch, openPage, tooWide } from "./browser.mjs";
import { openConsole, press } from "./console.mjs";

const PAGES = ["/", "/problems", "/problems/validation", "/problems/slug-taken"];
const PHONE = { width: 360, height: 640 };
const DESK = { width: 1280, height: 800 };

let browser;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [PHONE, DESK]) {
    describe(`of ${viewport.width} px in ${colorScheme} colours`, () => {
      for (const path of PAGES) {
        it(`${path} fits and axe finds nothing`, async () => {
          // given
          const opened = await openPage(browser, { viewport, colorScheme });
          // when
          await opened.page.goto(`${BASE}${path}`);
          // then
          assert.deepEqual(await tooWide(opened.page), []);
          assert.deepEqual(await accessFaults(opened.page), []);
          assert.equal(await opened.page.locator("h1").count(), 1);
          await expectCalm(opened);
        });
      }

      // axe takes its time on a page so long: each size and each scheme once.
      const isTold = (viewport === PHONE) === (colorScheme === "light");
      (isTold ? it : () => {})("the console fits and axe finds nothing, whatever is open", async () => {
        // given
        const opened = await openConsole(browser, { viewport, colorScheme }, "#/Posts/patchPost");
        const faults = [];
        const look = async () =>
          faults.push(...(await tooWide(opened.page)), ...(await accessFaults(opened.page)));
        // when
        await opened.page.locator(".responses-wrapper").waitFor();
        await look();
        await press(opened.page, "listPosts");
        await press(opened.page, "createPost");
        await look();
        await opened.page.click(".auth-wrapper .authorize");
        await look();
        // then
        assert.deepEqual(faults, []);
        await expectCalm(opened);
      });

      it("the console has the colours of the pages", async () => {
        // given
        const [page, docs] = await Promise.all([
          openPage(browser, { viewport, colorScheme }),
          openConsole(browser, { viewport, colorScheme }),
        ]);
        await page.page.goto(`${BASE}/`);
        // when
        const grounds = await Promise.all([page, docs].map(groundOf));
        // then
        assert.equal(grounds[0], grounds[1]);
        assert.equal(grounds[0] === "rgb(255, 255, 255)", colorScheme === "light");
        await expectCalm(page);
        await expectCalm(docs);
      });
    });
  }
}

describe("by keyboard", () => {
  for (const path of ["/", "/docs"]) {
    it(`one sees where one is on ${path}`, async () => {
      // given
      const opened = await openPage(browser);
      await opened.page.goto(`${BASE}${path}`);
      await opened.page.waitForLoadState("networkidle");
      const seen = [];
      // when
      for (let step = 0; step < 15; step += 1) {
        await opened.page.keyboard.press("Tab");
        seen.push(
          await opened.page.evaluate(() => {
            const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
            return `${outlineStyle} ${outlineWidth}`;
          }),
        );
      }
      // then
      assert.deepEqual([...new Set(seen)], ["solid 3px"]);
      await expectCalm(opened);
    });
  }

  it("an operation opens by Enter", async () => {
    // given
    const opened = await openConsole(browser);
    await opened.page.locator("#operations-Posts-getPost .opblock-summary-control").focus();
    // when
    await opened.page.keyboard.press("Enter");
    // then
    await opened.page.locator("#operations-Posts-getPost.is-open").waitFor();
    await expectCalm(opened);
  });
});

function groundOf({ page }) {
  return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
}
