// A POST for each line of a file, 32 in flight, each answer as a line of another: fetch.
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";

const [baseUrl, items, results] = process.argv.slice(2);
const out = createWriteStream(results);
const lines = createInterface({ input: createReadStream(items) })[Symbol.asyncIterator]();
let count = 0;

async function work() {
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const index = count++;
    const { email, name, balance } = JSON.parse(next.value);
    const response = await fetch(new URL("/v1/items", baseUrl), {
      method: "POST",
      headers: {
        authorization: "Bearer made-up-token",
        "content-type": "application/json",
        "idempotency-key": `item-${index}`,
      },
      body: JSON.stringify({ email, name, balance }),
    });
    if (!response.ok) throw new Error(`${response.status}`);
    out.write(JSON.stringify({ index, body: await response.json() }) + "\n");
  }
}

await Promise.all(Array.from({ length: 32 }, work));
out.end();
