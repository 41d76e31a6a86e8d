// Every record of a cursor-paged list as a line of a file: fetch.
import { createWriteStream } from "node:fs";
import { once } from "node:events";

const [baseUrl, to] = process.argv.slice(2);
const out = createWriteStream(to);
const headers = { authorization: "Bearer made-up-token" };
let cursor = null;
do {
  const url = new URL("/v1/records", baseUrl);
  if (cursor) url.searchParams.set("cursor", cursor);
  const response = await fetch(url, { headers });
  if (!response.ok) throw new Error(`${response.status}`);
  const page = await response.json();
  const lines = page.data.map((record) => JSON.stringify(record) + "\n").join("");
  if (!out.write(lines)) await once(out, "drain");
  cursor = page.next;
} while (cursor);
out.end();
