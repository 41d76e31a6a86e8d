// A browser whose pages tell of all that must not happen in them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class Watched {
  static async launch() {
    const executablePath = process.env.CHROMIUM;
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    return Object.assign(new Watched(), { browser, complaints: [] });
  }

  /** A page of its own cookies. */
  async page(options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const complain = (what) => this.complaints.push(`${page.url()}: ${what}`);
    page.on("dialog", (dialog) => {
      complain(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("pageerror", (error) => complain(`an error: ${error}`));
    page.on("console", (message) => {
      // What is refused on purpose is told as a failed load.
      if (message.type() === "error" && !/Failed to load resource|ERR_/.test(message.text())) complain(message.text());
    });
    await page.exposeFunction("nuncioViolated", (what) => complain(`the policy was violated: ${what}`));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        window.nuncioViolated(`${event.effectiveDirective} ${event.blockedURI}`);
      });
    });
    page.on("response", (response) => {
      const policy = response.headers()["content-security-policy"];
      if (response.request().resourceType() === "document" && (!policy || /unsafe/.test(policy))) {
        complain(`the policy is ${policy}`);
      }
    });
    return page;
  }

  /** What axe finds that is serious or critical. It is run beside the page's own policy, by the debugger. */
  async examine(page) {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`);
  }
}

/** Whether the page is wider than its window. */
export async function isTooWide(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

/** Whether something hostile ran. */
export async function hasExecuted(page) {
  return page.evaluate(() => window.executed);
}
