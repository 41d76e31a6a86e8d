// A server that lets express-openapi-validator judge every request, and answers as the vendor does.

import { once } from "node:events";
import http from "node:http";

import express from "express";
import { middleware as openapi } from "express-openapi-validator";

import { answer } from "./answers.mjs";

/** What every HTTP client may send, whether a document has it or not. */
const HEADERS = ["accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host", "user-agent"];

/** Formats that the documents name and the library does not know. */
const FORMATS = {
  decimal: /^-?\d+(\.\d+)?$/,
  "repo.nwo": /^[\w.-]+\/[\w.-]+$/,
  "unix-time": { type: "number", validate: Number.isInteger },
};

/**
 * Starts a server for a service. `take` gives the requests since it was last called, each with what is wrong with it. Headers that neither
 * the document nor `headers` has are unknown.
 */
export async function start(service, document, headers) {
  const requests = [];
  const keep = (request, _, raw) => (request.raw = raw.toString());
  const judges = { json: judge(document, false), form: judge(document, true) };
  const app = express();
  app.use((request, _, next) => {
    const { method, url, headers } = request;
    requests.push({ method, url, headers, problems: [], get body() { return request.raw; } });
    request.originalUrl = request.url = percentEncoded(url);
    next();
  });
  app.use(express.json({ verify: keep }), express.urlencoded({ extended: true, verify: keep }), (request, response, next) => {
    judges[request.is("urlencoded") ? "form" : "json"](request, response, next);
  });
  app.use((request, response) => {
    const { openApiRoute } = request.openapi ?? {};
    const problems = openApiRoute ? unknown(request, headers) : ["404: not below the path of the document's server"];
    requests.at(-1).sends = `${request.method} ${openApiRoute}`;
    requests.at(-1).problems.push(...problems);
    problems.length ? response.status(400).json({ problems }) : answer(service, request, response);
  });
  app.use((error, _request, response, _next) => {
    const status = error.status ?? 500;
    const problems = (error.errors ?? [error]).map(({ path, message }) => `${status}: ${path}: ${message}`);
    requests.at(-1).problems.push(...problems);
    response.status(status).json({ problems });
  });
  const server = http.createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return { url: `http://127.0.0.1:${server.address().port}`, take: () => requests.splice(0) };
}

/** The library's part. Fields of a form are text, and are read as the type that the document asks for; JSON has types of its own. */
function judge(document, coerceTypes) {
  const router = express.Router();
  router.use(
    openapi({
      apiSpec: structuredClone(document),
      formats: FORMATS,
      validateApiSpec: false,
      validateRequests: { allErrors: true, allowUnknownQueryParameters: false, coerceTypes },
      validateSecurity: true,
      validateResponses: false,
      fileUploader: false,
    }),
  );
  return router;
}

/** The library takes two characters that mean themselves in the encoding of forms, + and *, for ones that were left unencoded. */
function percentEncoded(url) {
  return url.replace(/\?.*/, (query) => query.replaceAll("+", "%20").replaceAll("*", "%2A"));
}

/** Headers that are not described. OpenAPI lets them pass, and so does the library; a misspelt one should not. */
function unknown(request, headers) {
  const described = request.openapi.schema.parameters.filter((parameter) => parameter.in === "header");
  const known = new Set([...HEADERS, ...headers, ...described.map(({ name }) => name)].map((name) => name.toLowerCase()));
  return Object.keys(request.headers).filter((name) => !known.has(name)).map((name) => `400: unknown header ${name}`);
}
