"""Apache with mod_auth_digest: which answers it takes, and how often it had to ask."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

import support
from harness import case, run

HERE = pathlib.Path(__file__).parent
USER, PASSWORD, REALM = "ada", "made-up: pass \"word\"", "made up"
IDS = [f"item-{number}" for number in range(30)]

port = support.free_port()
modules = sys.argv[2]


def write():
    for folder in ("pages", "pages/brief"):
        (support.work / folder).mkdir()
        for id in IDS:
            (support.work / folder / f"{id}.json").write_text(json.dumps({"id": id}))
    hashed = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
    (support.work / "users").write_text(f"{USER}:{REALM}:{hashed}\n")
    # Apache's children may run as another user.
    os.chmod(support.work, 0o755)
    text = (HERE / "digest.conf").read_text()
    for name, value in {"WORK": support.work, "PORT": port, "MODULES": modules}.items():
        text = text.replace(f"@{name}@", str(value))
    (support.work / "apache.conf").write_text(text)


write()
support.start([sys.argv[1], "-DFOREGROUND", "-f", support.work / "apache.conf"], port)
SERVICE = ["--file", HERE / "digest.yaml", "--base-url", f"http://127.0.0.1:{port}"]


def env(password=PASSWORD):
    return {"DIGEST_USER": USER, "DIGEST_PASSWORD": password}


def asked():
    """The requests since the last time: status, user, method and target."""
    log = support.work / "access.log"
    entries = [line.split(" ", 3) for line in log.read_text().splitlines()]
    log.write_text("")
    return entries


def statuses():
    return [int(status) for status, *_ in asked()]


EACH = ["each", "digest", "items.get", "id={{ item.id }}", "--concurrency", "1", "--results", support.work / "results.jsonl"]


def line(id):
    return json.dumps({"id": id}) + "\n"


@case("the first request is turned away and its challenge answered")
def _():
    ran = support.nuncio("call", "digest", "items.get", "id=item-1", *SERVICE, env=env()).ends_with(0)
    assert ran.json() == {"id": "item-1"}
    assert [entry[:2] for entry in asked()] == [["401", "-"], ["200", USER]]


@case("the answer is for the target as it was sent, query and escapes included")
def _():
    call = ["call", "digest", "items.get", "id=item-2", "note=a b+c/ü&d='e'"]
    support.nuncio(*call, *SERVICE, env=env()).ends_with(0)
    assert statuses() == [401, 200]


@case("a run of calls is asked once and counts from then on")
def _():
    lines = support.work / "ids.jsonl"
    lines.write_text("".join(map(line, IDS)))
    support.nuncio(*EACH, "--from", lines, "--restart", *SERVICE, env=env()).ends_with(0)
    assert statuses() == [401] + [200] * len(IDS)


@case("a wrong password is refused after one answer, and not tried again")
def _():
    call = support.nuncio("call", "digest", "items.get", "id=item-1", *SERVICE, env=env("made-up-other"))
    call.ends_with(8).says("401")
    assert statuses() == [401, 401]


@case("a nonce that is too old is answered anew, and the call succeeds")
def _():
    brief = [str(part).replace("items.get", "brief.get") for part in [support.NUNCIO, *EACH, "--from", "-", "--restart", *SERVICE]]
    with subprocess.Popen(brief, stdin=subprocess.PIPE, cwd=support.work, env={"HOME": str(support.work), **env()}, text=True) as run:
        for id in IDS[:3]:
            run.stdin.write(line(id))
            run.stdin.flush()
            # Apache's nonces are good for a second there.
            time.sleep(2.2)
        run.stdin.close()
        assert run.wait(timeout=30) == 0
    assert statuses() == [401, 200] * 3


run()
