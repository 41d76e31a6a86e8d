// All that nuncio can ask of a service, judged by the vendor's document.

import fs from "node:fs";

import yaml from "js-yaml";

import { call, operations, requests, required, values, variants } from "./calls.mjs";
import { amended, anonymous, read } from "./documents.mjs";
import { start } from "./validator.mjs";

const EXCEPTIONS = yaml.load(fs.readFileSync(new URL("exceptions.yaml", import.meta.url), "utf8"));

/** A service with the vendor's document and what is excepted. */
export class Examination {
  static async of(corpus, service) {
    const { base, operations: all } = await operations(service);
    const document = await read(corpus, service, all.map(({ sends }) => sends));
    return Object.assign(new Examination(), { service, base, operations: all, document, ...exceptions(service) });
  }

  /** A validator that heeds all exceptions, but for one that is to be left out. */
  async validator(without) {
    const overlay = this.overlay.filter((action) => action !== without);
    const headers = this.headers.filter((header) => header !== without);
    return start(this.service, amended(this.document, overlay), headers.map(({ header }) => header));
  }

  /** Every operation that is not excepted is called in every way: the requests that were made, and what was wrong. */
  async calls() {
    const validator = await this.validator();
    const made = [];
    const wrong = [];
    for (const operation of this.operations.filter((operation) => !this.undescribed.some((given) => given.operation === operation.operation))) {
      const left_out = this.inputs.filter((given) => given.operation === operation.operation).map(({ input }) => input);
      for (const inputs of variants(this.service, operation, left_out)) {
        const failure = await call(validator.url + this.base, this.service, operation, inputs);
        const taken = validator.take();
        const found = faults(operation, taken);
        if (!found.length && (failure || taken.length !== requests(operation))) {
          found.push(`${taken.length} requests instead of ${requests(operation)}: ${failure}`);
        }
        made.push(...taken);
        wrong.push(...found.map((fault) => `${operation.operation}: ${fault}`));
      }
    }
    return { made, wrong };
  }

  /** The exceptions without which nothing would be refused. */
  async unneeded(made) {
    const unneeded = [];
    for (const exception of [...this.overlay, ...this.headers]) {
      const validator = await this.validator(exception);
      if (!(await someRefused(validator, made))) {
        unneeded.push(exception);
      }
    }
    const validator = await this.validator();
    for (const exception of [...this.undescribed, ...this.inputs]) {
      const operation = this.operation(exception.operation);
      const input = operation.inputs.filter(({ name }) => name === exception.input);
      const excepted = Object.fromEntries(input.map((input) => [input.name, values(this.service, operation, input)[0]]));
      await call(validator.url + this.base, this.service, operation, { ...required(this.service, operation), ...excepted });
      if (!faults(operation, validator.take()).length) {
        unneeded.push(exception);
      }
    }
    return unneeded;
  }

  /** How many exceptions there are. */
  get excepted() {
    return this.overlay.length + this.headers.length + this.undescribed.length + this.inputs.length;
  }

  /** The operation of this name. */
  operation(name) {
    const found = this.operations.find(({ operation }) => operation === name);
    if (!found) {
      throw new Error(`${this.service} has no operation ${name}`);
    }
    return found;
  }
}

/** The exceptions of a service, each that can be unneeded by itself as one. */
function exceptions(service) {
  const { overlay = [], headers = [], undescribed = [], inputs = [] } = EXCEPTIONS[service];
  const ofInputs = ({ reason, of }) =>
    Object.entries(of).flatMap(([operation, names]) => names.map((input) => ({ operation, input, reason })));
  return { overlay, headers, undescribed, inputs: inputs.flatMap(ofInputs) };
}

/** What is wrong with the requests of an operation: what the validator says, or that it took them for another's. */
export function faults(operation, taken) {
  return taken.flatMap(({ method, url, sends, problems }) => {
    const other = problems.length || anonymous(sends) === anonymous(operation.sends) ? [] : [`404: taken for ${sends}`];
    return [...problems, ...other].map((problem) => `${problem} (${method} ${url})`);
  });
}

async function someRefused(validator, made) {
  for (const { method, url, headers, body } of made) {
    // These are for fetch to say.
    const { host, connection, "content-length": length, ...sent } = headers;
    await fetch(validator.url + url, { method, headers: sent, body: body || undefined });
    if (validator.take()[0].problems.length) {
      return true;
    }
  }
  return false;
}
