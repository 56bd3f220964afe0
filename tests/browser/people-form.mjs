// Fills in the form of docs/extending.md and prints, as JSON, what the service answered and the page said.
// PEOPLE_FORM is the URL of the page; run by test_people.py.
import { expectCalm, launch, openPage } from "./browser.mjs";

const FORM = process.env.PEOPLE_FORM;
const browser = await launch();
const opened = await openPage(browser, { places: [process.env.SIGNPOST_URL, new URL(FORM).origin] });
const { page } = opened;

/** Send the form once; return the answers that it got and what it says then. */
async function send(values) {
  const answers = [];
  const note = async (response) => {
    const request = response.request();
    if (request.method() !== "POST") return;
    answers.push({ path: new URL(request.url()).pathname.split("/api/")[1], status: response.status(), body: await response.json() });
  };
  page.on("response", note);
  for (const [name, value] of Object.entries(values)) await page.locator(`[name="${name}"]`).fill(value);
  await page.locator("output").evaluate((output) => { output.textContent = ""; });
  await page.getByRole("button", { name: "Add" }).click();
  await page.locator("output").filter({ hasText: /./ }).waitFor();
  page.off("response", note);
  return { answers, said: await page.locator("output").textContent() };
}

await page.goto(FORM);
const user = { username: process.env.SIGNPOST_USER, password: process.env.SIGNPOST_PASSWORD };
const names = { first_name: "Ada", family_name: "Byron" };
const told = {
  added: await send({ ...user, ...names }),
  tooLong: await send({ ...user, ...names, first_name: "A".repeat(201) }),
  refused: await send({ ...user, ...names, password: "not the password" }),
};
await expectCalm(opened);
await browser.close();
console.log(JSON.stringify(told));
