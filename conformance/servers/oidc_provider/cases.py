"""oidc-provider, a certified OAuth 2.0 server: clients as it wants them, no more tokens than are needed, and people who log in."""

import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import time
import urllib.request

import support
from harness import case, run
from user_agent import Browser

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


@case("a client is known by a statement signed with its private key")
def _():
    with urllib.request.urlopen(f"{url}/private-key", timeout=10) as answer:
        key = answer.read().decode()
    assert call("signed.create", {"PRIVATE_KEY": key}).ends_with(0).json() == {"client": "signed"}


@case("a client is known by a statement signed with its secret")
def _():
    credentials = client("secret-jwt", "made-up-secret-of-secret-jwt-which-is-long")
    assert call("secret_jwt.create", credentials).ends_with(0).json() == {"client": "secret-jwt"}
    wrong = client("secret-jwt", "made-up-secret-of-secret-jwt-which-is-not")
    call("secret_jwt.create", wrong).ends_with(8).says("invalid_client")


LOGIN = ["--file", HERE / "login.yaml", "--base-url", url]


def person(name):
    """The environment of someone with a credential store of her own."""
    home = support.work / name
    return {"HOME": str(home), "XDG_STATE_HOME": str(home), "NUNCIO_KEY": "a" * 64, "ISSUER": url}


def log_in(env, visit, *flags):
    """Runs the login, and has `visit` do what it shows on the other side."""
    command = [support.NUNCIO, "--json", "login", "login", *flags, *(str(arg) for arg in LOGIN)]
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith('{"login"'):
                visit(json.loads(line)["login"])
        assert process.wait(timeout=60) == 0, lines
    finally:
        process.kill()


def in_browser(shown):
    page, _ = Browser().open(shown["url"])
    assert "You are logged in" in page, page


def on_another_device(shown):
    browser = Browser()
    page, at = browser.open(shown["complete_url"])
    # The code, and then that it is the right one.
    while "<form" in page:
        page, at = browser.submit(page, at)


def order(env, id="a"):
    return support.nuncio("call", "login", "orders.create", f"id={id}", *LOGIN, env=env)


def expire():
    time.sleep(3.1)


@case("a user logs in with the browser, with PKCE, at a server that describes itself")
def _():
    ada = person("browser")
    order(ada).ends_with(8).says("nobody has logged in yet")
    log_in(ada, in_browser, "--no-browser")
    assert order(ada).ends_with(0).json() == {"client": "native"}


@case("a user logs in with a code on another device")
def _():
    ada = person("device")
    log_in(ada, on_another_device, "--device")
    assert order(ada).ends_with(0).json() == {"client": "native"}


@case("twelve processes refresh a rotating login once when its token has expired, and again")
def _():
    ada = person("shared")
    log_in(ada, in_browser, "--no-browser")
    for _ in range(2):
        expire()
        with Counted() as counted, concurrent.futures.ThreadPoolExecutor(12) as pool:
            for ran in list(pool.map(lambda id: order(ada, id), range(12))):
                ran.ends_with(0)
        assert (counted.granted, counted.refused, counted.unauthorized) == (1, [], 0)


@case("a refresh token that was used elsewhere needs a login, is told, and is not asked for again")
def _():
    ada = person("victim")
    log_in(ada, in_browser, "--no-browser")
    copied = support.work / "thief"
    shutil.copytree(ada["HOME"], copied)
    thief = {**ada, "HOME": str(copied), "XDG_STATE_HOME": str(copied)}
    expire()
    order(thief).ends_with(0)
    with Counted() as counted:
        order(ada).ends_with(8).says("needs a login", "invalid_grant")
        order(ada).ends_with(8).says("needs a login", "invalid_grant")
    assert (counted.requests, counted.refused, counted.grants_revoked) == (1, ["invalid_grant"], 1)
    expire()
    order(thief).ends_with(8).says("needs a login")
    log_in(ada, in_browser, "--no-browser")
    order(ada).ends_with(0)


@case("a user who logs out gives her tokens back")
def _():
    ada = person("leaving")
    log_in(ada, in_browser, "--no-browser")
    copied = support.work / "left"
    shutil.copytree(ada["HOME"], copied)
    support.nuncio("logout", "login", *LOGIN, env=ada).ends_with(0)
    expire()
    left = {**ada, "HOME": str(copied), "XDG_STATE_HOME": str(copied)}
    order(left).ends_with(8).says("needs a login")


run()
