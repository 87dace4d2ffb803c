// The page of the checklist in Chromium, as people have it: light and dark, wide and narrow, judged by axe, and signed with a key file.
// What it is told is one argument of JSON: crates/spreadsheet-mcp/tests/console/browser.rs gives it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const told = JSON.parse(process.argv[2]);
const require = createRequire(join(told.packages, "/"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath: told.chromium, args: ["--disable-gpu"] });
const problems = [];

/** A page that was let in by the key, as the password that browsers ask for. */
async function open(options = {}) {
  const context = await browser.newContext({ httpCredentials: { username: "anybody", password: told.key }, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  // A refusal of the server is logged by the browser, too, and is told to whoever signs.
  page.on("console", (line) => {
    if (line.type() === "error" && !line.text().includes("status of 4")) problems.push(`console: ${line.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "data:" && origin !== new URL(told.url).origin) problems.push(`asked: ${request.url()}`);
  });
  if (options.before) await context.addInitScript(options.before);
  const answer = await page.goto(told.url);
  assert.equal(answer.status(), 200);
  return page;
}

async function picture(page, name) {
  if (told.pictures) await page.screenshot({ path: join(told.pictures, `${name}.png`), fullPage: true });
}

async function said(page, text) {
  const region = page.getByRole("status");
  await region.filter({ hasText: text }).waitFor({ timeout: 10_000 });
  return region.innerText();
}

async function sign(page, person, file) {
  await page.getByLabel("Person").fill(person);
  await page.getByLabel("Role").selectOption(told.role);
  await page.getByLabel("Key file").setInputFiles(file);
  await page.getByRole("button", { name: "Sign" }).click();
}

// Without a key there is nothing to see.
const strangers = await browser.newContext();
assert.equal((await strangers.request.get(told.url)).status(), 401);

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 1280]) {
    const page = await open({ colorScheme, viewport: { width, height: 800 } });
    await page.locator("#sign-form").waitFor({ state: "visible" });
    // All that can be opened is read, too.
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
    assert.ok(wide <= width, `${colorScheme} ${width}: it scrolls to ${wide}`);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(ground, colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(20, 22, 26)");
    await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => axe.run({ resultTypes: ["violations"] }));
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
    assert.deepEqual(found, [], `${colorScheme} ${width}`);
    const headings = await page.locator("h1, h2, h3").evaluateAll((all) => all.map((heading) => heading.tagName));
    assert.equal(headings.filter((name) => name === "H1").length, 1);
    assert.equal(await page.getByRole("main").count(), 1);
    await picture(page, `${colorScheme}-${width}`);
    console.log(`${colorScheme}, ${width} pixels: ${passes.length} rules of axe hold, ${headings.length} headings`);
    await page.context().close();
  }
}

// Without scripts, and without cryptography, the command is there, and no form that does nothing.
{
  const page = await open({ javaScriptEnabled: false });
  assert.ok(await page.getByText("spreadsheet-mcp checklist sign --checklist").isVisible());
  assert.ok(await page.locator("#sign-form").isHidden());
  await page.context().close();
}
{
  const page = await open({ before: () => Object.defineProperty(crypto, "subtle", { value: undefined }) });
  await said(page, "This browser can't sign here");
  assert.ok(await page.getByText("spreadsheet-mcp checklist sign --checklist").isVisible());
  assert.ok(await page.locator("#sign-form").isHidden());
  await page.context().close();
}

// Every refusal is a sentence.
const page = await open({ viewport: { width: 360, height: 800 } });
const sent = [];
page.on("request", (request) => sent.push(`${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ""}`));
const nothing = { name: "nothing.pem", mimeType: "application/x-pem-file", buffer: Buffer.from("no key") };
for (const [person, file, text] of [
  [told.person, nothing, "nothing.pem holds no private key of Ed25519 (PKCS #8 in PEM)."],
  ["eve", told.file, `trusts no key of eve for ${told.role}`],
  ["ada", told.file, "The checklist was run by ada, and somebody else has to sign it. Ask somebody else"],
  [told.person, told.others, `That is not the key of ${told.person} that is trusted for ${told.role}. Choose the file`],
]) {
  await sign(page, person, file);
  const sentence = await said(page, text);
  assert.match(sentence, /\.$/);
  console.log(`refused: ${sentence}`);
}
await picture(page, "refused-360");

// Nobody signs what they have not seen.
execFileSync(told.disturb[0], told.disturb.slice(1), { cwd: told.folder, stdio: "pipe" });
await sign(page, told.person, told.file);
console.log(`refused: ${await said(page, "Load it again, and look at it before you sign.")}`);

// Signed with the keyboard alone, once it was looked at.
await page.reload();
await page.locator("#sign-form").waitFor({ state: "visible" });
await page.getByLabel("Role").selectOption(told.role);
await page.getByLabel("Key file").setInputFiles(told.file);
await page.getByLabel("Person").focus();
await page.keyboard.type(told.person);
await page.keyboard.press("Enter");
await said(page, `${told.person} has signed for ${told.title}.`);
const row = page.getByRole("row").filter({ hasText: told.title });
assert.match(await row.innerText(), new RegExp(`signed\\s+${told.person}, `));
await picture(page, "signed-360");

// The private key has not left the browser.
const secret = readFileSync(told.file, "utf8").split("\n")[1];
const seed = Buffer.from(secret, "base64").subarray(16);
assert.ok(sent.some((request) => request.includes("/console/checklist/sign ")));
for (const form of [secret, seed.toString("base64"), seed.toString("base64url"), seed.toString("hex")]) {
  assert.ok(!sent.some((request) => request.includes(form)), "the key was sent");
}
assert.deepEqual(problems, []);
console.log(`signed by ${told.person}; ${sent.length} requests, and the key in none of them`);
await browser.close();
