// A browser that may reach this computer only, and what is checked on every page that it shows.

import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  // Without this the browser looks for its maker's servers, and a click may take seconds.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];
// Generous: a computer that runs other tests beside this one draws a page in seconds.
const BOUND = 20_000;

export class Browser {
  static async start(executablePath, output) {
    mkdirSync(output, { recursive: true });
    const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
    const context = await browser.newContext({ viewport: { width: 1180, height: 800 }, locale: "en-GB", acceptDownloads: true });
    context.setDefaultTimeout(BOUND);
    return new Browser(browser, context, await context.newPage(), output);
  }

  constructor(browser, context, page, output) {
    Object.assign(this, { browser, context, page, output, shots: 0, complaints: [] });
    page.on("pageerror", (error) => this.complaints.push(`script: ${error}`));
    page.on("console", (message) => {
      // The browser itself reports each answer of 4xx here; steps that expect one check the answer.
      const expected = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
      if (message.type() === "error" && !expected) this.complaints.push(`console: ${message.text()}`);
    });
    page.on("dialog", (dialog) => { this.complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    page.on("request", (request) => {
      if (new URL(request.url()).hostname !== "127.0.0.1") this.complaints.push(`outside: ${request.url()}`);
    });
  }

  /** A screenshot, and the page is fit for everybody: axe-core in light and dark, a narrow window, the Tab key. */
  async check(name) {
    const { page } = this;
    this.shots += 1;
    const file = (suffix) => join(this.output, `${String(this.shots).padStart(2, "0")}-${name}${suffix}.png`);
    await page.screenshot({ path: file(""), fullPage: true });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const found = await page.evaluate(`${AXE}; axe.run(document, { resultTypes: ["violations", "incomplete"] })`);
      assert.deepEqual(found.violations.map(told), [], `axe-core, ${colorScheme}, ${page.url()}`);
      const unsure = found.incomplete.filter((rule) => rule.id === "color-contrast");
      assert.deepEqual(unsure.map(told), [], `axe-core cannot tell the contrast, ${colorScheme}, ${page.url()}`);
      if (colorScheme === "dark") await page.screenshot({ path: file("-dark"), fullPage: true });
    }
    await page.emulateMedia({ colorScheme: "light" });
    await this.fitsNarrow();
    await this.showsFocus();
    assert.deepEqual(this.complaints, [], `the browser complains about ${page.url()}`);
  }

  /** WCAG 1.4.10: at 320 pixels nothing needs scrolling sideways (tables may, within themselves). */
  async fitsNarrow() {
    const usual = this.page.viewportSize();
    await this.page.setViewportSize({ width: 320, height: 800 });
    const wide = await this.page.evaluate("document.documentElement.scrollWidth");
    await this.page.setViewportSize(usual);
    assert.ok(wide <= 320, `${this.page.url()} is ${wide} pixels wide in a window of 320`);
  }

  /** Every stop of the Tab key is seen: WCAG 2.4.7. */
  async showsFocus() {
    const { page } = this;
    await page.evaluate("document.activeElement?.blur()");
    const stops = await page.locator("a[href], button, input:not([type=hidden]), [tabindex='0']").count();
    const seen = new Set();
    for (let stop = 0; stop < stops; stop += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === document.body) return null;
        const style = getComputedStyle(element);
        const all = [...document.querySelectorAll("*")];
        return { index: all.indexOf(element), tag: element.outerHTML.slice(0, 80), outline: style.outlineStyle, width: style.outlineWidth };
      });
      if (at === null) break;
      assert.ok(at.outline !== "none" && at.width !== "0px", `no visible focus on ${at.tag}`);
      seen.add(at.index);
    }
    // A date field has several stops of its own, so not all are reached by as many keys; the first ones always are.
    assert.ok(seen.size >= Math.min(stops, 4), `the Tab key reaches only ${seen.size} of ${stops} stops`);
  }

  /** Refreshes until `there` holds; how many milliseconds that took. */
  async refreshUntil(what, bound, there) {
    const start = performance.now();
    for (;;) {
      await this.page.reload();
      if (await there()) return Math.round(performance.now() - start);
      assert.ok(performance.now() - start < bound, `not within ${bound} ms: ${what}`);
    }
  }

  notice(token) {
    return this.page.locator(`main > .notices [data-notice="${token}"]`);
  }

  async close() {
    await this.browser.close();
  }
}

function told(rule) {
  return `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => `${node.target} ${node.failureSummary ?? ""}`).join("; ")}`;
}
