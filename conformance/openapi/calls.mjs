// What nuncio is asked to do: each operation with the inputs that it must have, and again with all that it can have.

import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import yaml from "js-yaml";

const start = promisify(execFile);
const VALUES = yaml.load(fs.readFileSync(new URL("values.yaml", import.meta.url), "utf8"));
const CREDENTIALS = ["GITHUB_TOKEN", "SENDGRID_API_KEY", "SLACK_BOT_TOKEN", "STRIPE_SECRET_KEY"];
const PAGES = 2;

/** A folder that is gone when the script ends. */
export const work = fs.mkdtempSync(path.join(os.tmpdir(), "nuncio-openapi-"));
process.on("exit", () => fs.rmSync(work, { recursive: true, force: true }));

/** The operations of a service, as nuncio shows them, and the path of its base URL. */
export async function operations(service) {
  const { stdout } = await nuncio("services", "show", service, "--json");
  const { base_url, operations } = JSON.parse(stdout);
  const base = new URL(base_url).pathname.replace(/\/$/, "");
  return { base, operations: operations.map((operation) => ({ ...operation, sends: operation.sends.replace(" /", ` ${base}/`) })) };
}

/** Calls the operation at `url`, a list up to its second page; gives what nuncio complains of. */
export async function call(url, service, { operation, is_list }, inputs, ...flags) {
  const words = Object.entries(inputs).map(([name, value]) => `${name}:=${JSON.stringify(value)}`);
  const pages = is_list ? ["--all", "--max-pages", String(PAGES)] : [];
  return nuncio("call", service, operation, ...words, "--base-url", url, ...pages, ...flags).then(
    () => undefined,
    (failure) => failure.stderr || failure.message,
  );
}

/** How many requests a call makes. */
export function requests({ is_list }) {
  return is_list ? PAGES : 1;
}

/** Runs nuncio in an environment that has nothing but the credentials. */
function nuncio(...words) {
  const credentials = CREDENTIALS.map((name) => [name, process.env[name]]);
  const env = { HOME: work, XDG_CONFIG_HOME: work, ...Object.fromEntries(credentials) };
  return start(process.env.NUNCIO, words, { env, maxBuffer: 1 << 24, timeout: 60_000 });
}

/**
 * The inputs of each call that an operation is tried with: those it must have, then all but those `left_out`, as often as it takes for every
 * value to have its turn.
 */
export function variants(service, operation, left_out) {
  const inputs = operation.inputs
    .filter(({ name }) => !left_out.includes(name))
    .map((input) => ({ ...input, values: values(service, operation, input) }));
  const turns = Math.max(1, ...inputs.map(({ values }) => values.length));
  const all = Array.from({ length: turns }, (_, turn) => chosen(inputs, turn));
  return inputs.every(({ required }) => required) ? all : [required(service, operation), ...all];
}

/** What the operation must be called with. */
export function required(service, operation) {
  const inputs = operation.inputs.filter(({ required }) => required);
  return chosen(inputs.map((input) => ({ ...input, values: values(service, operation, input) })), 0);
}

function chosen(inputs, turn) {
  return Object.fromEntries(inputs.map(({ name, values }) => [name, values[turn % values.length]]));
}

/** The values to try for an input. */
export function values(service, { operation, sends }, { name, type, schema }) {
  const { inputs, operations } = VALUES[service];
  const given = operations?.[operation]?.[name] ?? inputs[name];
  if (given !== undefined) {
    return given?.each ?? [given];
  }
  if (schema.enum) {
    return schema.enum;
  }
  switch (type) {
    case "boolean":
      return [true, false];
    case "integer":
      return [1];
    case "string":
      return [sends.includes(`{${name}}`) ? `${name}_1` : VALUES.text];
    default:
      throw new Error(`values.yaml has no value for ${name} of ${service} ${operation}`);
  }
}
