// The little that the scripts share: cases that are run in order and reported one a line.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

const cases = [];

/** Registers a function as the case that holds `rule`. */
export function test(rule, run) {
  cases.push({ rule, run });
}

/** Runs every case; the exit status is 1 if one failed. */
export async function run() {
  let failed = 0;
  for (const { rule, run } of cases) {
    const start = performance.now();
    try {
      await run();
      console.log(`ok - ${rule} (${Math.round(performance.now() - start)} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`not ok - ${rule}\n${error.stack}`);
    }
  }
  console.log(`${cases.length - failed} of ${cases.length} passed`);
  process.exitCode = failed ? 1 : 0;
}

/** A header that asks the sandbox to misbehave. Unique, since the sandbox counts `times` by the header's text. */
export function fault(text) {
  return { "Sandbox-Fault": `${text}; id=${randomUUID()}` };
}

/** What the sandbox counted of an operation. */
export async function counts(operation) {
  const answer = await fetch(new URL("/_sandbox/counts", process.argv[2]));
  const [service] = Object.values(await answer.json());
  return { requests: 0, applied: 0, early: 0, ...service.operations[operation] };
}

/** How often `operation` was asked, its work was done, and a request came before a told wait was over, while `act` ran. */
export async function counted(operation, act) {
  const before = await counts(operation);
  const result = await act();
  const after = await counts(operation);
  const more = (name) => after[name] - before[name];
  return { result, requests: more("requests"), applied: more("applied"), early: more("early") };
}

/** The error of class `kind` that the promise is rejected with. */
export async function refused(kind, promise) {
  const error = await promise.then(
    (answer) => assert.fail(`expected ${kind.name}, got ${JSON.stringify(answer)}`),
    (error) => error,
  );
  assert.ok(error instanceof kind, `expected ${kind.name}, got ${error.stack}`);
  return error;
}
