// A real browser, and what it complained about: every test closes its page by `expectCalm`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

/** Where the service answers, with its prefix and no slash at the end. */
export const BASE = process.env.SIGNPOST_URL;

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
}

/**
 * Open a page that notes policy violations, failed scripts and requests to other places than `places`.
 * `browser` may be a context, which the page then shares with its others.
 */
export async function openPage(browser, { places = [BASE], ...options } = {}) {
  // The proxy of the tests signs its certificate itself.
  const own = browser.newContext ? { ignoreHTTPSErrors: BASE.startsWith("https:"), ...options } : undefined;
  const page = await browser.newPage(own);
  const faults = [];
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    // An answer of 4xx is no fault: some tests ask for one.
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) {
      faults.push(`console: ${text}`);
    }
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!/^(data|blob):/.test(url) && !places.some((each) => url.startsWith(`${each}/`))) {
      faults.push(`request: ${url}`);
    }
  });
  await page.exposeFunction("noteViolation", (text) => faults.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      window.noteViolation(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { page, faults };
}

export async function expectCalm({ page, faults }) {
  await page.close();
  assert.deepEqual(faults, []);
}

/** Return what axe finds wrong, with the first places of each. */
export async function accessFaults(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 5).map((node) => node.target)}`);
}

/** Return what sticks out to the right; a page that scrolls sideways cannot be read on a phone. */
export function tooWide(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    return document.documentElement.scrollWidth <= width
      ? []
      : [...document.querySelectorAll("body *")]
          .filter((each) => each.getBoundingClientRect().right > width)
          .map((each) => `${each.tagName}.${each.className}`);
  });
}
