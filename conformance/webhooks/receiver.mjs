// Verifies and signs with the official node libraries: node receiver.mjs PORT
//
// `/verify/LIBRARY?secret=…` answers 200 when the library takes the request and 400 with its reason when not. `/sign/LIBRARY?secret=…` answers the
// headers that the library signs the body with. `v1a` is no library's yet: it is verified by node itself, as the specification says.

import { createPublicKey, verify } from "node:crypto";
import { createServer } from "node:http";

import { sign as github, verify as githubVerify } from "@octokit/webhooks-methods";
import * as standard from "standardwebhooks";
import Stripe from "stripe";
import * as svix from "svix";

const SPKI_OF_ED25519 = Buffer.from("302a300506032b6570032100", "hex");

function v1a(secret, body, headers) {
  const raw = Buffer.from(secret.replace("whpk_", ""), "base64");
  const key = createPublicKey({ key: Buffer.concat([SPKI_OF_ED25519, raw]), format: "der", type: "spki" });
  const signed = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  const [signature] = headers["webhook-signature"].split(" ").filter((item) => item.startsWith("v1a,"));
  if (!verify(null, signed, key, Buffer.from(signature.slice(4), "base64"))) throw new Error("no signature matches");
}

const VERIFY = {
  github: async (secret, body, headers) => {
    if (!(await githubVerify(secret, body, headers["x-hub-signature-256"]))) throw new Error("no signature matches");
  },
  stripe: (secret, body, headers) =>
    new Stripe("made-up-key").webhooks.constructEvent(body, headers["stripe-signature"], secret),
  standardwebhooks: (secret, body, headers) => new standard.Webhook(secret).verify(body, headers),
  svix: (secret, body, headers) => new svix.Webhook(secret).verify(body, headers),
  v1a,
};

function standardly(prefix, library) {
  return (secret, body) => {
    const now = new Date();
    return {
      [`${prefix}-id`]: "msg_made_up",
      [`${prefix}-timestamp`]: String(Math.floor(now / 1000)),
      [`${prefix}-signature`]: new library(secret).sign("msg_made_up", now, body),
    };
  };
}

const SIGN = {
  "standard-webhooks": standardly("webhook", standard.Webhook),
  svix: standardly("svix", svix.Webhook),
  stripe: (secret, payload) => ({
    "stripe-signature": new Stripe("made-up-key").webhooks.generateTestHeaderString({ payload, secret }),
  }),
  github: async (secret, body) => ({ "x-hub-signature-256": await github(secret, body) }),
};

createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces).toString();
  const url = new URL(request.url, "http://127.0.0.1");
  const [, verb, library] = url.pathname.split("/");
  const secret = url.searchParams.get("secret");
  let answer;
  try {
    if (verb === "verify") {
      await VERIFY[library](secret, body, request.headers);
      answer = { "webhook-id": request.headers["webhook-id"], "nuncio-attempt": request.headers["nuncio-attempt"] };
    } else {
      answer = await SIGN[library](secret, body);
    }
    response.writeHead(200, { "content-type": "application/json" });
  } catch (refusal) {
    answer = { error: `${refusal.name}: ${refusal.message}` };
    response.writeHead(400, { "content-type": "application/json" });
  }
  response.end(JSON.stringify(answer));
}).listen(Number(process.argv[2]), "127.0.0.1");
