// Requests that must be refused, made by nuncio from a file of the catalog that was broken for the purpose.

import fs from "node:fs";
import path from "node:path";

import yaml from "js-yaml";

import { call, required, work } from "./calls.mjs";
import { faults } from "./examination.mjs";

/** What must be refused, and why. */
export const WRONG = yaml.load(fs.readFileSync(new URL("wrong.yaml", import.meta.url), "utf8"));

/** What the validator says of the requests of a broken operation. */
export async function refusal(examination, validator, wrong) {
  const { service, base } = examination;
  const name = wrong.of.split(" ")[1];
  const operation = examination.operation(name);
  const sound = yaml.load(fs.readFileSync(path.join("services", `${service}.yaml`), "utf8"));
  const broken = merged(sound, { ...wrong.file, operations: { [name]: wrong.operation ?? {} } });
  const file = path.join(work, `${service}.yaml`);
  fs.writeFileSync(file, yaml.dump(broken, { noRefs: true }));
  const inputs = merged(required(service, operation), wrong.inputs ?? {});
  const failure = await call(validator.url + base, service, operation, inputs, "--file", file);
  return faults(operation, validator.take()).join("\n") || `nothing, and nuncio: ${failure}`;
}

/** A JSON Merge Patch (RFC 7396). */
function merged(value, patch) {
  if (!patch || typeof patch !== "object" || Array.isArray(patch)) {
    return patch;
  }
  const result = value && typeof value === "object" && !Array.isArray(value) ? { ...value } : {};
  for (const [key, given] of Object.entries(patch)) {
    if (given === null) {
      delete result[key];
    } else {
      result[key] = merged(result[key], given);
    }
  }
  return result;
}
