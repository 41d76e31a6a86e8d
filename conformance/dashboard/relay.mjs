// A relay that serves, a receiver that answers as it is told, and webhooks signed as GitHub signs them.
import { spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const SECRET = "made-up-secret-of-the-shop";
export const WRITER = "made-up-token-of-an-operator";
export const READER = "made-up-token-of-a-reader";

/** What a receiver may answer, to be shown and not to be run. */
const HOSTILE_ANSWER = `<script>window.executed = "answer"</script><img src=x onerror="window.executed = 'answer'">`;

/** Takes what is sent to /ok, and not what is sent to /fail. */
export async function receiver() {
  const taken = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      taken.push(request.url);
      response.statusCode = request.url.startsWith("/fail") ? 500 : 200;
      response.end(HOSTILE_ANSWER);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, taken, close: () => server.close() };
}

function settings(port) {
  const to = (path) => ({ http: { url: `http://127.0.0.1:${port}${path}`, allow_addresses: ["127.0.0.0/8"] } });
  return {
    tokens: {
      operator: { token: WRITER, scopes: ["read", "write"] },
      reader: { token: READER, scopes: ["read"] },
    },
    sources: { shop: { scheme: "github", secrets: { current: SECRET } }, quiet: { scheme: "stripe", secrets: { current: "made-up" } } },
    schedules: {
      nightly: { cron: "0 3 * * *", time_zone: "Europe/Berlin", pull: { service: "stripe", operation: "customers.list" } },
      hourly: { every: "1h", call: { service: "stripe", operation: `<img src=x onerror="window.executed = 'operation'">` } },
    },
    applications: { acme: { title: `<script>window.executed = "title"</script>` } },
    endpoints: {
      ledger: { from: "source/shop", to: to("/ok?%3Cscript%3Ewindow.executed='url'%3C/script%3E") },
      failing: { from: "source/shop", types: ["fail*"], to: to("/fail"), delivery: { schedule: ["100ms"] } },
    },
  };
}

export class Relay {
  static async start(port) {
    const folder = mkdtempSync(join(tmpdir(), "nuncio-dashboard-"));
    const config = join(folder, "relay.yaml");
    writeFileSync(config, JSON.stringify(settings(port)));
    const process_ = spawn(
      process.env.NUNCIO,
      ["serve", config, "--listen", "127.0.0.1:0", "--store", join(folder, "relay.db")],
      { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, NUNCIO_LOG: "error" } },
    );
    const [line] = await new Promise((resolve, reject) => {
      createInterface({ input: process_.stdout }).once("line", (line) => resolve([line]));
      process_.once("exit", (code) => reject(new Error(`nuncio serve ended with ${code}`)));
    });
    return Object.assign(new Relay(), { folder, process: process_, url: line.trim() });
  }

  /** Sends a webhook to the shop, and gives the status of the answer. */
  async send(event, body, { secret = SECRET, headers = {} } = {}) {
    const signature = createHmac("sha256", secret).update(body).digest("hex");
    const response = await fetch(`${this.url}/in/shop`, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": randomUUID(),
        "x-hub-signature-256": `sha256=${signature}`,
        ...headers,
      },
    });
    await response.arrayBuffer();
    return response.status;
  }

  async stop() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
