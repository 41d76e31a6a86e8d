"""A POST for each line of a file, 32 in flight, each answer as a line of another: httpx, and tenacity for the retries."""

import asyncio
import json
import sys

import httpx
from tenacity import retry, stop_after_attempt, wait_exponential_jitter

_, base_url, items, results = sys.argv
IN_FLIGHT = 32


async def main():
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    headers = {"authorization": "Bearer made-up-token"}
    async with httpx.AsyncClient(base_url=base_url, limits=limits, headers=headers, trust_env=False) as client:

        @retry(stop=stop_after_attempt(5), wait=wait_exponential_jitter())
        async def post(body, key):
            answer = await client.post("/v1/items", json=body, headers={"idempotency-key": key})
            return answer.raise_for_status().json()

        async def work():
            for number, line in lines:
                item = json.loads(line)
                body = {name: item[name] for name in ("email", "name", "balance")}
                answer = await post(body, f"item-{number}")
                out.write(json.dumps({"index": number, "body": answer}) + "\n")

        with open(items) as source, open(results, "w") as out:
            lines = enumerate(source)
            await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


asyncio.run(main())
