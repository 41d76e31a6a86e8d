// The official `octokit` package against the sandbox: node github_cases.mjs URL

import assert from "node:assert/strict";

import { Octokit, RequestError } from "octokit";

import { counted, fault, refused, run, test } from "./harness.mjs";

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

/** A client whose retries of failures and waits for limits are as `settings` say; by itself it does neither. */
function client(settings = {}, auth = process.env.GITHUB_TOKEN) {
  const throttle = { onRateLimit: () => false, onSecondaryRateLimit: () => false };
  const userAgent = "conformance";
  return new Octokit({ baseUrl: process.argv[2], auth, userAgent, log: QUIET, throttle, retry: { enabled: false }, ...settings });
}

const { rest: api, request, paginate, graphql } = client();
const where = { owner: "octo", repo: "repo-1" };

test("an issue is created, retrieved, updated and closed", async () => {
  const created = await api.issues.create({ ...where, title: "It leaks", body: "A lot", labels: ["bug"] });
  assert.equal(created.status, 201);
  const issue = { ...where, issue_number: created.data.number };
  const { data: retrieved } = await api.issues.get(issue);
  assert.deepEqual([retrieved.title, retrieved.body, retrieved.state], ["It leaks", "A lot", "open"]);
  const { data: updated } = await api.issues.update({ ...issue, title: "It leaked", state: "closed" });
  assert.deepEqual([updated.title, updated.body, updated.state], ["It leaked", "A lot", "closed"]);
});

test("a comment is created, retrieved, updated and deleted", async () => {
  const { data: issue } = await api.issues.create({ ...where, title: "Talk" });
  const created = await api.issues.createComment({ ...where, issue_number: issue.number, body: "first" });
  assert.equal(created.status, 201);
  const comment = { ...where, comment_id: created.data.id };
  assert.equal((await api.issues.getComment(comment)).data.body, "first");
  assert.equal((await api.issues.updateComment({ ...comment, body: "second" })).data.body, "second");
  assert.equal((await api.issues.deleteComment(comment)).status, 204);
  assert.equal((await refused(RequestError, api.issues.getComment(comment))).status, 404);
});

test("paginate follows the Link header and yields each of more than 250 issues once, newest first", async () => {
  const newest = (await api.issues.create({ ...where, title: "newest" })).data.number;
  const { result, requests } = await counted("issues.list", () =>
    paginate(api.issues.listForRepo, { ...where, state: "all", per_page: 60 }),
  );
  const listed = result.map(({ number }) => number);
  assert.deepEqual(listed, Array.from({ length: newest }, (_, before) => newest - before));
  assert.ok(newest > 250);
  assert.equal(requests, Math.ceil(newest / 60));
});

test("paginate.iterator can stop after the first page", async () => {
  const list = async () => {
    for await (const { data } of paginate.iterator(api.issues.listForRepo, { ...where, per_page: 10 })) {
      return data.length;
    }
  };
  const { result, requests } = await counted("issues.list", list);
  assert.deepEqual([result, requests], [10, 1]);
});

test("paginate reads the items of a search", async () => {
  const found = await paginate(api.search.users, { q: "type:user", per_page: 2 });
  const { data } = await api.search.users({ q: "type:user", per_page: 100 });
  assert.equal(found.length, data.total_count);
});

test("a query by GraphQL is answered", async () => {
  const { viewer } = await graphql("query { viewer { login name email } }");
  assert.equal(viewer.login, "octo");
});

const ISSUES = `query list($owner: String!, $name: String!, $cursor: String) {
  repository(owner: $owner, name: $name) {
    issues(first: 60, after: $cursor) { totalCount pageInfo { hasNextPage endCursor } nodes { number title } }
  }
}`;

test("graphql.paginate follows the connection and yields each issue once, newest first", async () => {
  const list = () => graphql.paginate(ISSUES, { owner: where.owner, name: where.repo });
  const { result, requests } = await counted("graphql.repository_issues", list);
  const { totalCount, nodes } = result.repository.issues;
  assert.ok(totalCount > 250);
  assert.deepEqual(nodes.map(({ number }) => number), Array.from({ length: totalCount }, (_, before) => totalCount - before));
  assert.equal(requests, Math.ceil(totalCount / 60));
});

test("graphql.paginate.iterator can stop after the first page", async () => {
  const list = async () => {
    for await (const { repository } of graphql.paginate.iterator(ISSUES, { owner: where.owner, name: where.repo })) {
      return repository.issues;
    }
  };
  const { result, requests } = await counted("graphql.repository_issues", list);
  assert.deepEqual([result.nodes.length, result.pageInfo.hasNextPage, requests], [60, true, 1]);
});

test("a field that there is not is a GraphqlResponseError that names it", async () => {
  // The package does not export the class.
  const error = await refused(Error, graphql("query { viewer { login shoe } }"));
  assert.equal(error.name, "GraphqlResponseError");
  assert.match(error.errors[0].message, /shoe/);
});

test("an unknown issue is a RequestError with 404 and GitHub's message", async () => {
  const error = await refused(RequestError, api.issues.get({ ...where, issue_number: 999_999 }));
  assert.deepEqual([error.status, error.response.data.message], [404, "Not Found"]);
});

test("a missing field is a RequestError with 422", async () => {
  const error = await refused(RequestError, request("POST /repos/{owner}/{repo}/issues", { ...where, body: "no title" }));
  assert.deepEqual([error.status, error.response.data.message], [422, "Validation Failed"]);
});

test("a wrong token is a RequestError with 401 and Bad credentials", async () => {
  const error = await refused(RequestError, client({}, "ghp_wrong").rest.users.getAuthenticated());
  assert.deepEqual([error.status, error.response.data.message], [401, "Bad credentials"]);
});

test("a 500 that stays is a RequestError after three attempts", async () => {
  const { rest } = client({ retry: { enabled: true, retries: 2, retryAfterBaseValue: 1 } });
  const ask = () => refused(RequestError, rest.issues.listForRepo({ ...where, headers: fault("500") }));
  const { result, requests } = await counted("issues.list", ask);
  assert.deepEqual([result.status, requests], [500, 3]);
});

test("a creation that meets a 503 before it is accepted is retried and applied once", async () => {
  const { rest } = client({ retry: { enabled: true, retries: 2, retryAfterBaseValue: 1 } });
  const create = () => rest.issues.create({ ...where, title: "late", headers: fault("503; times=1") });
  const { requests, applied } = await counted("issues.create", create);
  assert.deepEqual([requests, applied], [2, 1]);
});

test("a secondary rate limit is a RequestError with the Retry-After, when calls are not to wait", async () => {
  const told = [];
  const throttle = { onRateLimit: () => false, onSecondaryRateLimit: (seconds) => void told.push(seconds) };
  const { rest } = client({ throttle });
  const headers = fault("403; retry-after=3; message=You have exceeded a secondary rate limit.");
  const error = await refused(RequestError, rest.issues.get({ ...where, issue_number: 1, headers }));
  assert.deepEqual([error.status, error.response.headers["retry-after"], told], [403, "3", [3]]);
});

test("a creation that meets a secondary rate limit waits as told and is applied once", async () => {
  const told = [];
  const again = (seconds, _options, _octokit, retries) => told.push(seconds) && retries < 1;
  const { rest } = client({ throttle: { onRateLimit: again, onSecondaryRateLimit: again } });
  const create = () => rest.issues.create({ ...where, title: "patient", headers: fault("429; retry-after=1; times=1") });
  const { requests, applied, early } = await counted("issues.create", create);
  assert.deepEqual([told, requests, applied, early], [[1], 2, 1, 0]);
});

/** A client that waits once for a primary rate limit, and the waits that it was told. */
function patient() {
  const told = [];
  const throttle = { onRateLimit: (seconds, _options, _octokit, retries) => told.push(seconds) && retries < 1, onSecondaryRateLimit: () => false };
  return { told, octokit: client({ throttle }) };
}

const exhausted = "403; reset=1; times=1; message=API rate limit exceeded for user ID 1.";

test("a creation that meets the primary rate limit waits for its reset and is applied once", async () => {
  const { told, octokit } = patient();
  const create = () => octokit.rest.issues.create({ ...where, title: "exhausted", headers: fault(exhausted) });
  const { result, requests, applied, early } = await counted("issues.create", create);
  assert.equal(result.data.title, "exhausted");
  assert.deepEqual([told.length, requests, applied, early], [1, 2, 1, 0]);
});

test("a primary rate limit in the middle of a list is waited for, and every issue comes once", async () => {
  const { told, octokit } = patient();
  const list = () => octokit.paginate(octokit.rest.issues.listForRepo, { ...where, per_page: 100, headers: fault(exhausted) });
  const { result, requests, early } = await counted("issues.list", list);
  assert.equal(new Set(result.map(({ number }) => number)).size, result.length);
  assert.ok(result.length > 250);
  assert.deepEqual([told.length, requests, early], [1, Math.ceil(result.length / 100) + 1, 0]);
});

test("a primary rate limit is a RequestError with what is left and the reset, when calls are not to wait", async () => {
  const headers = fault("403; reset=30; message=API rate limit exceeded for user ID 1.");
  const ask = () => refused(RequestError, api.issues.get({ ...where, issue_number: 1, headers }));
  const { result, requests } = await counted("issues.get", ask);
  assert.deepEqual([result.status, result.response.headers["x-ratelimit-remaining"], requests], [403, "0", 1]);
  assert.ok(Number(result.response.headers["x-ratelimit-reset"]) * 1000 > Date.now());
});

await run();
