// What one does in the console, for its tests: open it, sign in, press Execute.
import { BASE, openPage } from "./browser.mjs";
import { picture } from "./web.mjs";

const USER = process.env.SIGNPOST_USER;
const PASSWORD = process.env.SIGNPOST_PASSWORD;

export async function openConsole(browser, options = {}, hash = "") {
  const opened = await openPage(browser, options);
  await opened.page.goto(`${BASE}/docs${hash}`);
  await opened.page.waitForSelector(".opblock");
  return opened;
}

export async function signIn(page, password = PASSWORD) {
  await page.click(".auth-wrapper .authorize");
  const form = page.locator(".auth-container", { hasText: "OAuth2" });
  await form.locator("#oauth_username").fill(USER);
  await form.locator("#oauth_password").fill(password);
  await form.locator("button.authorize").click();
  return form;
}

/** Open the console, signed in as admin. */
export async function signedIn(browser) {
  const opened = await openConsole(browser);
  const form = await signIn(opened.page);
  await form.locator("text=Authorized").first().waitFor();
  await opened.page.click(".modal-ux .close-modal");
  return opened;
}

function blockOf(page, operation) {
  return page.locator(`.opblock[id$="-${operation}"]`);
}

export async function closed(page, operation) {
  const block = blockOf(page, operation);
  if (await block.evaluate((each) => each.classList.contains("is-open"))) {
    await block.locator(".opblock-summary-control").click();
    await block.and(page.locator(":not(.is-open)")).waitFor();
  }
}

/** Open an operation and execute what is filled in; return its status and all that is shown. */
export async function press(page, operation, { body, reopens = true } = {}) {
  const block = blockOf(page, operation);
  if (reopens) {
    await closed(page, operation);
    await block.locator(".opblock-summary-control").click();
    await block.locator(".responses-wrapper").waitFor();
    await page.locator('#console[aria-busy="false"]').waitFor(); // what it offers is there
    const start = block.locator(".try-out__btn:not(.cancel, .reset)");
    if (await start.count()) {
      await start.click();
    }
  }
  if (body) {
    await block.locator("textarea.body-param__text").fill(body);
  }
  for (const input of await block.locator("input[type=file]").all()) {
    await input.setInputFiles(picture("harbour.jpg"));
  }
  const answered = page.waitForResponse((each) => each.url().startsWith(`${BASE}/api/v1/`));
  await block.locator("button.execute").click();
  await answered;
  const answer = block.locator(".live-responses-table");
  await answer.waitFor();
  await page.waitForTimeout(100); // until an answer before is replaced by this one
  const status = await answer.locator(".response .response-col_status").innerText();
  return { status: status.trim(), text: await answer.innerText() };
}
