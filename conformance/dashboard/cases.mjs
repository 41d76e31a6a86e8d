// The dashboard in a real browser. Usage: node cases.mjs [FOLDER for screenshots]
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { READER, Relay, WRITER, receiver } from "./relay.mjs";
import { Watched, hasExecuted, isTooWide } from "./watch.mjs";

const HOSTILE = `<script>window.executed = "body"</script><img src=x onerror="window.executed = 'body'">`;
const HOSTILE_TYPE = `<img/src=x/onerror=window.executed='type'>`;
const BODY = JSON.stringify({ note: HOSTILE, amount: 1.1 });

const shots = process.argv[2];
if (shots) mkdirSync(shots, { recursive: true });

const target = await receiver();
const relay = await Relay.start(target.port);
const watched = await Watched.launch();
let failed = 0;

async function test(name, run) {
  try {
    await run();
    assert.deepEqual(watched.complaints.splice(0), []);
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}

async function signIn(page, token) {
  await page.goto(`${relay.url}/`);
  await page.fill("#token", token);
  await page.click("main button");
  await page.waitForURL(`${relay.url}/`);
}

async function shoot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

const rows = (page) => page.locator(".rows a");
const page = await watched.page();

await test("a wrong token is told so, and a right one opens the events", async () => {
  await page.goto(`${relay.url}/`);
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  await page.fill("#token", "made-up-token-of-nobody");
  await page.click("main button");
  await page.getByRole("alert").getByText("not known").waitFor();
  await signIn(page, WRITER);
  await page.getByText("No event yet").waitFor();
  await shoot(page, "empty");
});

await test("a webhook appears without a reload", async () => {
  await page.evaluate(() => (window.sameDocument = true));
  assert.equal(await relay.send("push", BODY), 200);
  await rows(page).getByText("push", { exact: true }).waitFor();
  await rows(page).getByText("1 delivered").waitFor();
  assert.equal(await page.evaluate(() => window.sameDocument), true);
});

await test("an event shows its body, headers, verification and attempts", async () => {
  await rows(page).first().click();
  assert.equal(await page.locator("pre.raw").textContent(), BODY);
  await page.locator(".headers").getByText("x-hub-signature-256").waitFor();
  await page.getByText("genuine").waitFor();
  await page.getByText("What was checked").click();
  await page.locator(".explanation").getByText("matches").first().waitFor();
  await page.locator(".attempts .status").getByText("200").waitFor();
});

await test("an event is sent again", async () => {
  const before = target.taken.length;
  await page.click("#resend");
  await page.getByRole("status").getByText("due again").waitFor();
  await page.locator(".attempts li").nth(1).waitFor();
  assert.equal(target.taken.length, before + 1);
});

await test("nothing hostile runs, wherever it stands", async () => {
  assert.equal(await relay.send(`fail${HOSTILE_TYPE}`, BODY, { headers: { "x-made-up": HOSTILE.replaceAll('"', "'") } }), 200);
  assert.equal(await relay.send(HOSTILE_TYPE, HOSTILE, { secret: "made-up-other-secret" }), 401);
  await page.goto(`${relay.url}/?type=${encodeURIComponent(`fail${HOSTILE_TYPE}`)}`);
  await rows(page).getByText("1 dead").waitFor();
  await rows(page).first().click();
  await page.locator(".attempts").getByText("500").first().waitFor();
  await page.locator(".excerpt").first().waitFor();
  assert.match(await page.locator(".excerpt").first().textContent(), /<script>/);
  const seen = ["/", "/deliveries", "/deliveries?state=dead", "/endpoints", "/endpoints/ledger", "/endpoints/failing", "/sources", "/sources/shop",
    "/schedules", "/replays", `/?q=${encodeURIComponent(HOSTILE)}`, `/?origin=${encodeURIComponent(HOSTILE)}`, `/events/${encodeURIComponent(HOSTILE)}`];
  assert.equal(await hasExecuted(page), undefined);
  for (const path of seen) {
    await page.goto(relay.url + path);
    assert.equal(await hasExecuted(page), undefined, path);
  }
});

await test("a refused request says why", async () => {
  await page.goto(`${relay.url}/sources/shop`);
  await page.locator("article").getByText("does not match").waitFor();
  await page.locator("article .why").getByText("Likely").waitFor();
  await shoot(page, "refused");
});

await test("events are filtered by type, text and state", async () => {
  await relay.send("issues", JSON.stringify({ needle: "made-up-needle" }));
  await page.goto(`${relay.url}/`);
  await page.fill("input[name=type]", "issues");
  await page.keyboard.press("Enter");
  await page.waitForURL(/type=issues/);
  assert.equal(await rows(page).count(), 1);
  await page.goto(`${relay.url}/`);
  await page.keyboard.press("/");
  await page.keyboard.type("made-up-needle");
  await page.keyboard.press("Enter");
  await page.waitForURL(/needle/);
  assert.equal(await rows(page).count(), 1);
  await page.goto(`${relay.url}/`);
  await page.selectOption("select[name=state]", "dead");
  await page.click(".filter button");
  await page.waitForURL(/state=dead/);
  assert.equal(await rows(page).count(), 1);
});

await test("an endpoint is disabled and enabled", async () => {
  await page.goto(`${relay.url}/endpoints`);
  await page.click("#disable-ledger");
  await page.waitForURL(/endpoints\/ledger/);
  await page.getByText("by the dashboard").waitFor();
  await page.click("#enable-ledger");
  await page.locator("#disable-ledger").waitFor();
});

await test("a schedule is paused and resumed, and says how its run went", async () => {
  await page.goto(`${relay.url}/schedules`);
  await page.click("#pause-nightly");
  await page.click("#resume-nightly");
  await page.locator("#pause-nightly").waitFor();
  await page.click("#run-hourly");
  await page.locator(".tile").getByText("failing").waitFor();
  await shoot(page, "schedules");
});

await test("a replay in bulk tells how far it is", async () => {
  for (let number = 0; number < 20; number += 1) await relay.send("bulk", JSON.stringify({ number }));
  await page.goto(`${relay.url}/endpoints/ledger`);
  await page.getByText("Replay…").click();
  await page.selectOption("select[name=state]", "delivered");
  await page.fill("input[name=per_second]", "10");
  await page.click("#begin");
  await page.getByText("under way").waitFor();
  await shoot(page, "replay");
  await page.getByText("ended", { exact: true }).waitFor();
  assert.equal(await page.locator("progress").getAttribute("value"), "100");
});

await test("a token for reading has no buttons", async () => {
  const reader = await watched.page();
  await signIn(reader, READER);
  for (const path of ["/endpoints", "/endpoints/ledger", "/replays"]) {
    await reader.goto(relay.url + path);
    assert.deepEqual(await reader.locator("main button").allTextContents(), [], path);
  }
  await reader.getByText("Sign out").click();
  await reader.waitForURL(/sign-in/);
  await reader.context().close();
});

await test("signed in, opened and sent again by the keyboard alone", async () => {
  const keyed = await watched.page();
  await keyed.goto(`${relay.url}/`);
  const focused = () => keyed.evaluate(() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    return { id: element.id, text: element.textContent.trim(), outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0, isRow: Boolean(element.closest(".rows")) };
  });
  const tabTo = async (isIt) => {
    for (let presses = 0; presses < 80; presses += 1) {
      const at = await focused();
      if (isIt(at)) return at;
      await keyed.keyboard.press("Tab");
    }
    throw new Error("the keyboard does not get there");
  };
  await tabTo((at) => at.id === "token");
  await keyed.keyboard.type(WRITER);
  await keyed.keyboard.press("Enter");
  await keyed.waitForURL(`${relay.url}/`);
  await keyed.locator(".rows a").first().waitFor();
  assert.equal((await tabTo((at) => at.isRow)).outline, true, "the focus of a row is seen");
  await keyed.keyboard.press("Enter");
  await keyed.waitForURL(/events/);
  assert.equal((await tabTo((at) => at.id === "resend")).outline, true, "the focus of a button is seen");
  await keyed.keyboard.press("Enter");
  await keyed.getByRole("status").getByText("due again").waitFor();
  await keyed.context().close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of [["desktop", { width: 1280, height: 900 }], ["phone", { width: 390, height: 844 }]]) {
    await test(`every page is legible and fits: ${colorScheme}, ${size}`, async () => {
      const looked = await watched.page({ colorScheme, viewport });
      await looked.goto(`${relay.url}/sign-in`);
      assert.deepEqual(await watched.examine(looked), [], "sign-in");
      await shoot(looked, `sign-in-${colorScheme}-${size}`);
      await signIn(looked, WRITER);
      await rows(looked).first().waitFor();
      const event = await rows(looked).first().getAttribute("href");
      const dead = await (async () => {
        await looked.goto(`${relay.url}/?state=dead`);
        return rows(looked).first().getAttribute("href");
      })();
      const pages = { events: "/", event, "event-dead": dead, deliveries: "/deliveries", endpoints: "/endpoints", endpoint: "/endpoints/failing",
        schedules: "/schedules", sources: "/sources", source: "/sources/shop", replays: "/replays", nothing: "/?type=nothing", absent: "/events/evt_01K74Z2E000000000000000000" };
      for (const [name, path] of Object.entries(pages)) {
        await looked.goto(relay.url + path);
        await shoot(looked, `${name}-${colorScheme}-${size}`);
        assert.equal(await isTooWide(looked), false, `${name} is wider than the window`);
        assert.deepEqual(await watched.examine(looked), [], name);
      }
      await looked.context().close();
    });
  }
}

await test("the list stays responsive while up to 500 events a second arrive", async () => {
  await page.goto(`${relay.url}/`);
  await page.evaluate(() => {
    window.parts = 0;
    document.addEventListener("htmx:sseMessage", () => (window.parts += 1));
  });
  const begun = Date.now();
  let sent = 0;
  const send = async () => {
    while (Date.now() - begun < 4000) {
      // As many as are due by now, from as many at once as there are of us.
      if (sent >= (Date.now() - begun) / 2) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      sent += 1;
      assert.equal(await relay.send("flood", JSON.stringify({ sent })), 200);
    }
  };
  const flood = Promise.all(Array.from({ length: 32 }, send));
  // It answers while they arrive: what is typed is there, and the list goes on.
  await page.fill("input[name=type]", "typed while it arrives");
  assert.equal(await page.inputValue("input[name=type]"), "typed while it arrives");
  // A function that the page evaluates by itself would need what the policy forbids.
  while ((await page.evaluate(() => window.parts)) < 3) await page.waitForTimeout(50);
  await flood;
  await rows(page).getByText("flood").first().waitFor();
  assert.ok((await rows(page).count()) <= 50, "the list is bounded");
  assert.ok((await page.evaluate(() => window.parts)) <= 2 * ((Date.now() - begun) / 1000) + 2, "what arrives is told together");
  console.log(`        ${sent} events in 4 s`);
});

await watched.browser.close();
await relay.stop();
target.close();
process.exitCode = failed > 0 ? 1 : 0;
