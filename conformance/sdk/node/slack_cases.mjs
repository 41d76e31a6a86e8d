// The official `@slack/web-api` package against the sandbox: node slack_cases.mjs URL

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { ErrorCode, WebClient } from "@slack/web-api";

import { counted, fault, run, test } from "./harness.mjs";

const QUIET = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => "error", setName() {} };

function client(headers = {}, settings = {}, token = process.env.SLACK_BOT_TOKEN) {
  const slackApiUrl = `${process.argv[2]}/`;
  const retryConfig = { retries: 0 };
  return new WebClient(token, { slackApiUrl, headers, retryConfig, logger: QUIET, ...settings });
}

const api = client();
const patient = { retryConfig: { retries: 2, minTimeout: 1, maxTimeout: 10 } };

const name = () => `team-${randomUUID()}`;
const channel = async () => (await api.conversations.create({ name: name() })).channel.id;

/** The error with this code of the SDK's own that the promise is rejected with. */
async function refused(code, promise) {
  const error = await promise.then(
    (answer) => assert.fail(`expected ${code}, got ${JSON.stringify(answer)}`),
    (error) => error,
  );
  assert.equal(error.code, code, error.stack);
  return error;
}

test("a message with blocks is posted", async () => {
  const blocks = [{ type: "section", text: { type: "mrkdwn", text: "*deployed*" } }];
  const where = await channel();
  const answer = await api.chat.postMessage({ channel: where, text: "deployed", blocks });
  assert.ok(answer.ok && answer.ts);
  assert.equal(answer.channel, where);
  assert.equal(answer.message.text, "deployed");
  assert.deepEqual(answer.message.blocks, blocks);
});

test("a posted message is updated and deleted", async () => {
  const where = await channel();
  const { ts } = await api.chat.postMessage({ channel: where, text: "draft" });
  const updated = await api.chat.update({ channel: where, ts, text: "final" });
  assert.deepEqual([updated.ts, updated.text], [ts, "final"]);
  assert.deepEqual((await api.conversations.history({ channel: where })).messages.map(({ text }) => text), ["final"]);
  assert.ok((await api.chat.delete({ channel: where, ts })).ok);
  assert.deepEqual((await api.conversations.history({ channel: where })).messages, []);
});

test("a channel is created, retrieved and renamed", async () => {
  const created = (await api.conversations.create({ name: name() })).channel;
  const retrieved = (await api.conversations.info({ channel: created.id })).channel;
  assert.equal(retrieved.name, created.name);
  const renamed = name();
  assert.equal((await api.conversations.rename({ channel: created.id, name: renamed })).channel.name, renamed);
});

test("paginate follows the cursor and yields each of 260 channels once", async () => {
  const created = new Set();
  for (let n = 0; n < 260; n += 1) {
    created.add(await channel());
  }
  const listed = [];
  for await (const page of api.paginate("conversations.list", { limit: 100 })) {
    listed.push(...page.channels.map(({ id }) => id));
  }
  assert.equal(new Set(listed).size, listed.length);
  assert.ok(created.isSubsetOf ? created.isSubsetOf(new Set(listed)) : [...created].every((id) => listed.includes(id)));
});

test("ok: false under HTTP 200 is a platform error with Slack's code", async () => {
  const error = await refused(ErrorCode.PlatformError, api.conversations.info({ channel: "C0NOBODY" }));
  assert.equal(error.data.error, "channel_not_found");
});

test("a missing argument is a platform error with invalid_arguments", async () => {
  const error = await refused(ErrorCode.PlatformError, api.apiCall("conversations.create"));
  assert.equal(error.data.error, "invalid_arguments");
});

test("a wrong token is a platform error with invalid_auth", async () => {
  const error = await refused(ErrorCode.PlatformError, client({}, {}, "xoxb-wrong").auth.test());
  assert.equal(error.data.error, "invalid_auth");
});

test("a 503 that stays is an HTTP error after three attempts", async () => {
  const ask = () => refused(ErrorCode.HTTPError, client(fault("503"), patient).auth.test());
  const { result, requests } = await counted("auth.test", ask);
  assert.deepEqual([result.statusCode, requests], [503, 3]);
});

test("a 429 is a rate limit error with the Retry-After, when calls are not to wait", async () => {
  const hasty = client(fault("429; retry-after=3"), { rejectRateLimitedCalls: true });
  const error = await refused(ErrorCode.RateLimitedError, hasty.auth.test());
  assert.equal(error.retryAfter, 3);
});

test("a message that meets a 429 waits as told and is posted once", async () => {
  const where = await channel();
  const waited = client(fault("429; retry-after=1; times=1"), patient);
  const waits = [];
  waited.on("rate_limited", (seconds) => waits.push(seconds));
  const { requests, applied, early } = await counted("chat.postMessage", () =>
    waited.chat.postMessage({ channel: where, text: "patient" }),
  );
  assert.deepEqual([waits, requests, applied, early], [[1], 2, 1, 0]);
});

for (const text of ["503; times=1", "reset; times=1"]) {
  test(`a message that meets ${text} before it is accepted is retried and posted once`, async () => {
    const where = await channel();
    const post = () => client(fault(text), patient).chat.postMessage({ channel: where, text: "late" });
    const { requests, applied } = await counted("chat.postMessage", post);
    assert.deepEqual([requests, applied], [2, 1]);
  });
}

await run();
