// The official `stripe` package against the sandbox: node stripe_cases.mjs URL

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import Stripe from "stripe";

import { counted, fault, refused, run, test } from "./harness.mjs";

const { hostname: host, port } = new URL(process.argv[2]);

function client(settings = {}, key = process.env.STRIPE_SECRET_KEY) {
  return new Stripe(key, { host, port, protocol: "http", maxNetworkRetries: 0, telemetry: false, ...settings });
}

const api = client();
const { errors } = Stripe;
const patient = (text) => ({ headers: fault(text), maxNetworkRetries: 2 });

test("a customer is created, retrieved, updated and deleted", async () => {
  const created = await api.customers.create({ email: "ada@example.com", name: "Ada", metadata: { plan: "gold" } });
  assert.match(created.id, /^cus_/);
  const retrieved = await api.customers.retrieve(created.id);
  assert.deepEqual([retrieved.email, retrieved.name, retrieved.metadata.plan], ["ada@example.com", "Ada", "gold"]);
  const updated = await api.customers.update(created.id, { name: "Ada L.", metadata: { seats: "3" } });
  assert.deepEqual([updated.name, updated.email], ["Ada L.", "ada@example.com"]);
  assert.deepEqual({ ...updated.metadata }, { plan: "gold", seats: "3" });
  assert.equal((await api.customers.del(created.id)).deleted, true);
  await assert.rejects(api.customers.retrieve(created.id), errors.StripeInvalidRequestError);
});

test("lists and objects within a form come back as such", async () => {
  const customer = await api.customers.create({ name: "Ada" });
  const product = await api.products.create({ name: "Plan", images: ["https://example.com/a.png", "https://example.com/b.png"] });
  assert.deepEqual(product.images, ["https://example.com/a.png", "https://example.com/b.png"]);
  const price = await api.prices.create({
    product: product.id,
    currency: "eur",
    unit_amount: 500,
    recurring: { interval: "month" },
  });
  assert.deepEqual([price.unit_amount, price.recurring.interval], [500, "month"]);
  const items = [{ price: price.id, quantity: 2 }];
  const subscription = await api.subscriptions.create({ customer: customer.id, items });
  assert.equal(subscription.items.data[0].price, price.id);
});

test("a payment is authorized, captured and refunded", async () => {
  const intent = await api.paymentIntents.create({ amount: 2000, currency: "eur", capture_method: "manual" });
  assert.deepEqual([intent.amount, intent.currency], [2000, "eur"]);
  const confirmed = await api.paymentIntents.confirm(intent.id, { payment_method: "pm_card_visa" });
  assert.equal(confirmed.status, "requires_capture");
  const captured = await api.paymentIntents.capture(intent.id, { amount_to_capture: 1500 });
  assert.deepEqual([captured.status, captured.amount_received], ["succeeded", 1500]);
  const refund = await api.refunds.create({ payment_intent: intent.id, amount: 500 });
  assert.deepEqual([refund.payment_intent, refund.amount], [intent.id, 500]);
});

test("auto paging yields each of 260 customers once, newest first", async () => {
  const email = `${randomUUID()}@example.com`;
  const created = [];
  for (let n = 0; n < 260; n += 1) {
    created.push((await api.customers.create({ email, name: `${n}` })).id);
  }
  const listed = [];
  for await (const customer of api.customers.list({ email, limit: 100 })) {
    listed.push(customer.id);
  }
  assert.deepEqual(listed, created.reverse());
});

test("the same idempotency key gets the same answer and creates once", async () => {
  const options = { idempotencyKey: randomUUID() };
  const create = () => api.customers.create({ name: "once" }, options);
  const { result, applied } = await counted("customers.create", async () => [await create(), await create()]);
  const [first, again] = result;
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
  assert.equal(applied, 1);
});

test("the same idempotency key with another body is a StripeIdempotencyError", async () => {
  const options = { idempotencyKey: randomUUID() };
  await api.customers.create({ name: "first" }, options);
  const error = await refused(errors.StripeIdempotencyError, api.customers.create({ name: "second" }, options));
  assert.equal(error.statusCode, 400);
});

for (const text of ["503; times=1", "reset; times=1", "500; after; times=1", "reset; after; times=1"]) {
  test(`a creation that meets ${text} is retried by the SDK and applied once`, async () => {
    const create = () => api.customers.create({ name: "late" }, patient(text));
    const { result, requests, applied } = await counted("customers.create", create);
    assert.deepEqual([result.name, requests, applied], ["late", 2, 1]);
  });
}

test("a wrong key is a StripeAuthenticationError", async () => {
  const error = await refused(errors.StripeAuthenticationError, client({}, "sk_test_wrong").customers.list());
  assert.equal(error.statusCode, 401);
});

test("an unknown id is a StripeInvalidRequestError with resource_missing", async () => {
  const error = await refused(errors.StripeInvalidRequestError, api.customers.retrieve("cus_nobody"));
  assert.deepEqual([error.statusCode, error.code], [404, "resource_missing"]);
  assert.ok(error.requestId);
});

test("a missing parameter is a StripeInvalidRequestError that names it", async () => {
  const error = await refused(errors.StripeInvalidRequestError, api.paymentIntents.create({ currency: "eur" }));
  assert.deepEqual([error.statusCode, error.code, error.param], [400, "parameter_missing", "amount"]);
});

test("a declined card is a StripeCardError", async () => {
  const declined = { headers: fault("402; type=card_error; code=card_declined") };
  const error = await refused(errors.StripeCardError, api.paymentIntents.create({ amount: 2000, currency: "eur" }, declined));
  assert.deepEqual([error.statusCode, error.code], [402, "card_declined"]);
});

test("a 403 is a StripePermissionError", async () => {
  const error = await refused(errors.StripePermissionError, api.customers.list({}, { headers: fault("403") }));
  assert.equal(error.statusCode, 403);
});

test("a 500 that stays is a StripeAPIError after three attempts", async () => {
  const list = () => refused(errors.StripeAPIError, api.customers.list({}, patient("500")));
  const { requests } = await counted("customers.list", list);
  assert.equal(requests, 3);
});

test("a 429 is a StripeRateLimitError", async () => {
  const error = await refused(errors.StripeRateLimitError, api.customers.list({}, { headers: fault("429; retry-after=1") }));
  assert.deepEqual([error.statusCode, error.code], [429, "rate_limit"]);
  assert.equal(error.headers["retry-after"], "1");
});

test("a 429 whose Stripe-Should-Retry says so is retried by the SDK", async () => {
  const list = () => api.customers.list({ limit: 1 }, patient("429; retry-after=1; times=1"));
  const { requests } = await counted("customers.list", list);
  assert.equal(requests, 2);
});

await run();
