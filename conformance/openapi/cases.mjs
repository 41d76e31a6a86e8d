// nuncio's own requests against the vendors' OpenAPI documents, judged by express-openapi-validator: node cases.mjs CORPUS

import assert from "node:assert/strict";

import { run, test } from "../sdk/node/harness.mjs";
import { SERVICES } from "./documents.mjs";
import { Examination } from "./examination.mjs";
import { refusal, WRONG } from "./wrong.mjs";

const [corpus] = process.argv.slice(2);

const examined = await Promise.all(
  SERVICES.map(async (service) => {
    const examination = await Examination.of(corpus, service);
    return { examination, ...(await examination.calls()) };
  }),
);

for (const { examination, made, wrong } of examined) {
  const { service, operations, undescribed, excepted } = examination;
  const described = operations.length - undescribed.length;

  test(`${service}: ${made.length} requests of ${described} of ${operations.length} operations are as the document says`, () => {
    assert.ok(wrong.length === 0, wrong.join("\n"));
  });

  test(`${service}: each of the ${excepted} exceptions is needed`, async () => {
    assert.deepEqual(await examination.unneeded(made), []);
  });

  for (const given of WRONG.filter(({ of }) => of.split(" ")[0] === service)) {
    test(`${given.of}: refused for ${given.rule}`, async () => {
      const validator = await examination.validator();
      assert.match(await refusal(examination, validator, given), new RegExp(given.says));
    });
  }
}

await run();
// What fetch keeps open is for no one.
process.exit();
