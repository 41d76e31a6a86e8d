"""nginx with limit_req: real 429s, counted by nginx itself."""

import json

import support
from harness import case, run
from server import HERE, IDS, PAGES, Nginx, statuses

ORDERS = [f"order-{number}" for number in range(80)]

nginx = Nginx("limits.conf")
SERVICE = ["--file", HERE / "limits.yaml", "--base-url", nginx.url]


def pulled(zone, *flags):
    """Pulls the list behind the limit `zone`: every record came once. What nginx was asked."""
    records, _ = support.pull("limits", f"{zone}.items.list", *SERVICE, *flags)
    support.same_records((record["id"] for record in records), IDS)
    asked = nginx.asked(f"/{zone}/items")
    assert statuses(asked).count(200) == PAGES, "a page was fetched twice"
    return asked


def created(zone):
    """Creates an order for each line behind the limit `zone`: each was done once. What nginx was asked."""
    lines = support.work / "orders.jsonl"
    lines.write_text("".join(json.dumps({"id": id}) + "\n" for id in ORDERS))
    create = ["each", "limits", f"{zone}.orders.create", "--from", lines, "id={{ item.id }}", "--concurrency", 16]
    support.nuncio(*create, *SERVICE, "--restart").ends_with(0)
    done = [entry["path"] for entry in nginx.done(f"/{zone}/orders/")]
    support.same_records(done, (f"/{zone}/orders/{id}" for id in ORDERS))
    return nginx.asked(f"/{zone}/orders/")


def refused(asked):
    return statuses(asked).count(429)


@case("a pull through a limit that does not say when to come back yields every record once")
def _():
    assert refused(pulled("silent")) > 0


@case("each through a limit that does not say when to come back does every item once")
def _():
    assert refused(created("silent")) > 0


@case("a pull of several pages at once through a limit with Retry-After yields every record once")
def _():
    assert refused(pulled("told", "--concurrency", 8)) > 0


@case("each through a limit with Retry-After does every item once")
def _():
    assert refused(created("told")) > 0


@case("a pull with a limit that the service file knows is never refused")
def _():
    assert refused(pulled("known", "--concurrency", 8)) == 0


@case("each with a limit that the service file knows is never refused")
def _():
    assert refused(created("known")) == 0


run()
