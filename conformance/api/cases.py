"""The API of a gateway that serves, against what its OpenAPI document says of it: schemathesis makes the requests and judges the answers.

It gets the program schemathesis as its argument.
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

import support

TOKEN = "made-up-token-of-the-examination"
FOLDER = pathlib.Path(__file__).resolve().parent
# Requests made up for each operation. No bound on the time of a run: where it would end, a busy machine would decide.
EXAMPLES = 25

(support.work / "relay.yaml").write_text((FOLDER / "relay.yaml").read_text())
environment = {"HOME": str(support.work), "NUNCIO_TOKEN": TOKEN, "NUNCIO_LOG": "off"}
serve = [support.NUNCIO, "serve", "relay.yaml", "--listen", "127.0.0.1:0", "--store", "relay.db"]
gateway = subprocess.Popen(serve, cwd=support.work, env=environment, stdout=subprocess.PIPE, text=True)
try:
    url = gateway.stdout.readline().strip()
    event = {"application": "acme", "type": "invoice.paid", "payload": {}}
    request = urllib.request.Request(f"{url}/v1/events", json.dumps(event).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Bearer {TOKEN}")
    told = json.load(urllib.request.urlopen(request))
    examination = [
        *support.SERVER,
        *("--config-file", FOLDER / "schemathesis.toml", "run", f"{url}/v1/openapi.json"),
        *("--checks", "all", "--max-examples", EXAMPLES, "--seed", 1, "--workers", 1),
        *("--header", f"Authorization: Bearer {TOKEN}", "--continue-on-failure", "--no-color"),
    ]
    done = subprocess.run([str(part) for part in examination], cwd=support.work, env={**os.environ, "PYTHONPATH": "", "EVENT": told["id"]})
    assert gateway.poll() is None, "the gateway ended"
finally:
    gateway.terminate()
    ended = gateway.wait(timeout=60)
assert ended == 0, f"the gateway ended with {ended}"
sys.exit(done.returncode)
