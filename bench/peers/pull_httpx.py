"""Every record of a cursor-paged list as a line of a file: httpx, and tenacity for the retries."""

import json
import sys

import httpx
from tenacity import retry, stop_after_attempt, wait_exponential_jitter

_, base_url, to = sys.argv
client = httpx.Client(base_url=base_url, headers={"authorization": "Bearer made-up-token"}, trust_env=False)


@retry(stop=stop_after_attempt(5), wait=wait_exponential_jitter())
def page(params):
    return client.get("/v1/records", params=params).raise_for_status().json()


with open(to, "w") as out:
    params = {}
    while True:
        answer = page(params)
        for record in answer["data"]:
            out.write(json.dumps(record) + "\n")
        if answer["next"] is None:
            break
        params = {"cursor": answer["next"]}
