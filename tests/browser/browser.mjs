// A real browser, and what it complained about: every test closes its page by `expectCalm`.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** Where the service answers, with its prefix and no slash at the end. */
export const BASE = process.env.SIGNPOST_URL;

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
}

/** Open a page that notes policy violations, failed scripts and requests to other origins. */
export async function openPage(browser, options = {}) {
  const page = await browser.newPage(options);
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
    if (!url.startsWith(`${BASE}/`) && !url.startsWith("data:")) {
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
