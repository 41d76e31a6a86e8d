// The vendors' OpenAPI documents, reduced to the requests of the catalog's operations and made strict.

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";

import { jsonpath } from "json-p3";
import yaml from "js-yaml";
import swagger from "swagger2openapi";

const FILES = {
  github: "github/api.github.com.json.gz",
  sendgrid: "sendgrid/oai.json.gz",
  slack: "slack/slack_web_openapi_v2.json.gz",
  stripe: "stripe/spec3.yaml.gz",
};
const BEARER = { type: "http", scheme: "bearer" };
const ANSWERS = { default: { description: "any" } };

/** The services that there is a document of. */
export const SERVICES = Object.keys(FILES);

/** The document of a service, with the operations whose `METHOD /path` is in `sends` and no others. */
export async function read(corpus, service, sends) {
  const source = parse(path.join(corpus, FILES[service]));
  const full = source.swagger ? await converted(source) : source;
  const base = new URL(full.servers[0].url).pathname.replace(/\/$/, "");
  const schemes = Object.entries(full.components.securitySchemes ?? { bearer: BEARER });
  // The library does not look at oauth2. Its tokens are bearer tokens (RFC 6750).
  const securitySchemes = Object.fromEntries(schemes.map(([name, scheme]) => [name, scheme.type === "oauth2" ? BEARER : scheme]));
  const security = full.security ?? schemes.map(([name]) => ({ [name]: [] }));
  const paths = reduced(full, base, new Set(sends.map(anonymous)));
  return {
    openapi: full.openapi,
    info: { title: service, version: full.info.version },
    servers: [{ url: base || "/" }],
    security,
    paths,
    components: { ...reached(paths, full.components), securitySchemes },
  };
}

/** The document with the actions of an overlay done, and then closed: objects that list their properties have no others. */
export function amended(document, actions) {
  const copy = structuredClone(document);
  actions.forEach((action) => act(copy, action));
  close(copy);
  return copy;
}

/** A method and a path whatever its parameters are called. */
export function anonymous(sends) {
  return sends.replaceAll(/\{[^}]*\}/g, "{}");
}

function parse(file) {
  const text = zlib.gunzipSync(fs.readFileSync(file)).toString();
  return file.endsWith(".yaml.gz") ? yaml.load(text) : JSON.parse(text);
}

/** The same in OpenAPI 3. Fields that Swagger 2 describes for a form or JSON alike are described for both, which the converter does not do. */
async function converted(source) {
  const { openapi } = await swagger.convertObj(source, { patch: true, warnOnly: true });
  for (const [route, methods] of Object.entries(openapi.paths)) {
    for (const [method, { requestBody }] of Object.entries(methods)) {
      const form = requestBody?.content?.["application/x-www-form-urlencoded"];
      if (form && source.paths[route][method].consumes.includes("application/json")) {
        requestBody.content["application/json"] = form;
      }
    }
  }
  return openapi;
}

/** The operations that are wanted, without their answers. */
function reduced({ paths, components }, base, wanted) {
  const kept = {};
  const parameter = (given) => (given.$ref ? components.parameters[given.$ref.split("/").at(-1)] : given);
  for (const [route, { parameters: shared = [], ...methods }] of Object.entries(paths)) {
    for (const [method, { parameters: own = [], requestBody, security }] of Object.entries(methods)) {
      if (wanted.has(anonymous(`${method.toUpperCase()} ${base}${route}`))) {
        const parameters = [...shared, ...own].map(parameter);
        (kept[route] ??= {})[method] = { parameters, requestBody, security, responses: ANSWERS };
      }
    }
  }
  // Not a structured clone, which would keep it that one object stands in many places.
  return JSON.parse(JSON.stringify(kept));
}

/** The components that `value` refers to, by way of others as well. */
function reached(value, components, found = {}) {
  if (typeof value?.$ref === "string") {
    const [kind, name] = value.$ref.split("/").slice(-2);
    if (!found[kind]?.[name]) {
      (found[kind] ??= {})[name] = components[kind][name];
      reached(components[kind][name], components, found);
    }
  } else if (value && typeof value === "object") {
    Object.values(value).forEach((inner) => reached(inner, components, found));
  }
  return found;
}

/** An action of an OpenAPI Overlay 1.0: what `target` selects is removed or merged with `update`. */
function act(document, { target, update, remove }) {
  // From the last, so that what was removed from a list moves none of those that are still to be.
  for (const { value, location } of [...jsonpath.query(target, document)].reverse()) {
    if (remove) {
      const parent = location.slice(0, -1).reduce((inner, key) => inner[key], document);
      Array.isArray(parent) ? parent.splice(location.at(-1), 1) : delete parent[location.at(-1)];
    } else {
      merge(value, update);
    }
  }
}

function merge(value, update) {
  for (const [key, given] of Object.entries(update)) {
    if (Array.isArray(given) && Array.isArray(value[key])) {
      value[key].push(...given);
    } else if (value[key] && typeof value[key] === "object") {
      merge(value[key], given);
    } else {
      value[key] = given;
    }
  }
}

/** A part of an `allOf` stays open: it does not know the properties of the rest. */
function close(value, open = false) {
  if (!value || typeof value !== "object") {
    return;
  }
  if (value.properties && !open) {
    value.additionalProperties ??= false;
  }
  // JSON Schema, as the library reads it, knows `nullable` beside `type` alone.
  if (value.nullable && value.oneOf) {
    delete value.nullable;
    value.oneOf.push({ enum: [null] });
  }
  for (const [key, inner] of Object.entries(value)) {
    Array.isArray(inner) ? inner.forEach((part) => close(part, key === "allOf")) : close(inner);
  }
}
