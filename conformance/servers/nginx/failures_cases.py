"""nginx in front of upstreams that fail: what is tried again, and what never is, counted by nginx itself."""

import json
import sys

import support
from harness import case, run
from server import HERE, IDS, Nginx, statuses

CLOSED, FLAKY, BRIEF = (support.free_port() for _ in range(3))
FLAWS = ["silent", "cut-body", "cut-chunk", "hang-up"]
# The program's own words for a call that is given up since it may have been done.
UNSAFE = "the server may have acted on it"

support.start([sys.executable, HERE / "flaky.py", FLAKY], FLAKY)
nginx = Nginx("failures.conf", CLOSED=CLOSED, FLAKY=FLAKY, BRIEF=BRIEF)


def call(operation, *inputs, service="failures", port=nginx.port):
    given = ["--file", HERE / f"{service}.yaml", "--base-url", f"http://127.0.0.1:{port}"]
    return support.nuncio("call", service, operation, *inputs, *given)


@case("a GET to a dead upstream is given up after five 502s")
def _():
    call("closed.get", "id=a").ends_with(5).says("502", "gave up after 5 attempts")
    assert statuses(nginx.asked("/closed/a")) == [502] * 5


@case("a POST to a dead upstream is sent once: a 502 is no proof that it was not done")
def _():
    call("closed.create", "id=b").ends_with(5).says("502", UNSAFE)
    assert statuses(nginx.asked("/closed/b")) == [502]


@case("a GET waits as long as a 503 asks for")
def _():
    ran = call("down.get", "id=a").ends_with(5).says("503", "gave up after 2 attempts", "maintenance")
    assert "waited 1.0 s" in ran.err
    assert statuses(nginx.asked("/down/a")) == [503] * 2


@case("a POST is sent once although a 503 says when to come back")
def _():
    call("down.create", "id=b").ends_with(5).says("503", UNSAFE)
    assert statuses(nginx.asked("/down/b")) == [503]


for flaw in FLAWS:

    @case(f"a GET is tried again until the upstream is well ({flaw})")
    def _(flaw=flaw):
        answer = call("flaky.get", f"how={flaw}", "id=a").ends_with(0).json()
        assert [item["id"] for item in answer["items"]] == [1, 2]
        asked = nginx.asked(f"/flaky/{flaw}/a")
        assert len(asked) == 3, asked

    @case(f"a POST without an idempotency key is sent once ({flaw})")
    def _(flaw=flaw):
        ran = call("flaky.create", f"how={flaw}", "id=b").says(UNSAFE)
        assert ran.code in (5, 11), ran
        asked = nginx.asked(f"/flaky/{flaw}/b")
        assert len(asked) == 1, asked

    @case(f"a POST with an idempotency key is tried again under the same key ({flaw})")
    def _(flaw=flaw):
        call("flaky.create", f"how={flaw}", "id=c", service="keyed").ends_with(0)
        keys = [entry["key"] for entry in nginx.asked(f"/flaky/{flaw}/c")]
        assert len(keys) == 3 and len(set(keys)) == 1 and keys[0], keys


@case("a POST is tried again when nothing listens: it was never sent")
def _():
    call("closed.create", "id=d", port=CLOSED).ends_with(11).says("gave up after 5 attempts", "nothing listens")


@case("a pull over connections that end after three requests yields every record once")
def _():
    brief = ["--file", HERE / "failures.yaml", "--base-url", f"http://127.0.0.1:{BRIEF}"]
    records, _ = support.pull("failures", "items.list", *brief, "--concurrency", 4)
    support.same_records((record["id"] for record in records), IDS)
    asked = nginx.asked("/brief/items")
    connections = [entry["connection"] for entry in asked]
    assert max(map(connections.count, connections)) == 3
    assert statuses(asked) == [200] * len(asked)


@case("POSTs that meet the end of a connection that was idle are done once or told to be of unknown fate")
def _():
    lines = support.work / "orders.jsonl"
    lines.write_text("".join(json.dumps({"id": f"order-{number}"}) + "\n" for number in range(30)))
    # Ten in a second, each just when nginx gives the connection of the one before up.
    brief = ["--file", HERE / "failures.yaml", "--base-url", f"http://127.0.0.1:{BRIEF}"]
    ran = support.nuncio("each", "failures", "orders.create", "--from", lines, "id={{ item.id }}", *brief, "--json")
    summary = ran.json()
    done = [entry["path"] for entry in nginx.done("/brief/orders/")]
    assert len(done) == len(set(done)), "an order was done twice"
    assert summary["ok"] <= len(done) <= summary["ok"] + summary["unknown"], ran
    assert summary["ok"] + summary["unknown"] == 30, ran


run()
