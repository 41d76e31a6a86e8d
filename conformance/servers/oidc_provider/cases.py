"""oidc-provider, a certified OAuth 2.0 server: client credentials as it wants them, and no more tokens than are needed."""

import json
import pathlib

import support
from harness import case, run

HERE = pathlib.Path(__file__).parent
ODD = 'made up: +%/&=?#~"\\'

port = support.free_port()
url = f"http://127.0.0.1:{port}"
support.start([*support.SERVER, port], port)


def client(id, secret):
    return {"CLIENT_ID": id, "CLIENT_SECRET": secret}


BASIC = client("basic", "made-up-secret-of-basic")
SERVICE = ["--file", HERE / "oauth2.yaml", "--base-url", url]


def counts():
    return support.fetch(f"{url}/counts")


class Counted:
    """What the server counts in a block."""

    def __enter__(self):
        self.before = counts()
        return self

    def __exit__(self, *_):
        after = counts()
        for name, now in after.items():
            before = self.before[name]
            setattr(self, name, now[len(before) :] if isinstance(now, list) else now - before)


def call(operation, credentials):
    return support.nuncio("call", "oauth2", operation, "id=a", *SERVICE, env=credentials)


def each(operation, credentials, ids):
    """One order for each id, eight at a time; all are done once."""
    lines = support.work / "orders.jsonl"
    lines.write_text("".join(json.dumps({"id": id}) + "\n" for id in ids))
    flags = ["--from", lines, "id={{ item.id }}", "--concurrency", 8, "--restart"]
    with Counted() as counted:
        support.nuncio("each", "oauth2", operation, *flags, *SERVICE, env=credentials).ends_with(0)
    support.same_records(counted.done, (f"/orders/{id}" for id in ids))
    return counted


@case("a client is known by its Basic header")
def _():
    assert call("basic.create", BASIC).ends_with(0).json() == {"client": "basic"}


@case("a client is known by its credentials in the body")
def _():
    assert call("post.create", client("post", "made-up-secret-of-post")).ends_with(0).json() == {"client": "post"}


@case("an id and a secret that form encoding changes arrive as they are, in the header and in the body")
def _():
    for operation, id in [("basic.create", f"odd {ODD}"), ("post.create", f"odd post {ODD}")]:
        assert call(operation, client(id, f"secret {ODD}")).ends_with(0).json() == {"client": id}


@case("scopes are asked for as the service file has them")
def _():
    with Counted() as counted:
        call("scoped.create", BASIC).ends_with(0)
    assert counted.scopes == ["orders.read orders.write"]


@case("a scope that the server does not grant is told in its words")
def _():
    with Counted() as counted:
        reader = client("reader", "made-up-secret-of-reader")
        call("scoped.create", reader).ends_with(8).says("invalid_scope", "help: check the scopes")
    assert (counted.requests, counted.refused, counted.done) == (1, ["invalid_scope"], [])


@case("a wrong secret is told in the server's words, and the token endpoint is asked once")
def _():
    with Counted() as counted:
        call("basic.create", client("basic", "made-up-wrong")).ends_with(8).says(
            "invalid_client", "client authentication failed", "help: check the client id and secret"
        )
    assert (counted.requests, counted.refused, counted.done) == (1, ["invalid_client"], [])


@case("no secret and no token is shown")
def _():
    ran = call("basic.create", client("basic", "made-up-wrong"))
    assert "made-up-wrong" not in ran.err + ran.out


@case("all calls of a run share one token")
def _():
    counted = each("basic.create", BASIC, [f"shared-{number}" for number in range(100)])
    assert (counted.requests, counted.used, counted.unauthorized) == (1, 1, 0)


@case("a token that expires is replaced once, however many calls wait for it")
def _():
    brief = client("brief", "made-up-secret-of-brief")
    counted = each("paced.create", brief, [f"brief-{number}" for number in range(100)])
    assert counted.granted == counted.requests == counted.used >= 2


@case("a token that the API takes no longer is replaced once, however many calls find out")
def _():
    fickle = client("fickle", "made-up-secret-of-fickle")
    counted = each("basic.create", fickle, [f"fickle-{number}" for number in range(100)])
    assert counted.granted == counted.requests == counted.used == 4
    assert counted.unauthorized >= 3


run()
