"""nginx with TLS and HTTP/2: whom nuncio trusts, and how it uses a connection."""

import json

import support
from harness import case, run
import certificates
from server import HERE, IDS, Nginx

certificates.authority("known")
certificates.authority("unknown")
certificates.certificate("good", by="known")
certificates.certificate("expired", by="known", from_days=-3, to_days=-2)
certificates.certificate("future", by="known", from_days=2, to_days=3)
certificates.certificate("other", by="known", hosts="DNS:other.test")
certificates.certificate("strange", by="unknown")

PORTS = {name: support.free_port() for name in ["BRIEF", "OLD", "EXPIRED", "FUTURE", "OTHER", "STRANGE", "PLAIN"]}
nginx = Nginx("tls.conf", **PORTS)
AUTHORITY = support.work / "known.pem"
TRUSTING = ["--cacert", AUTHORITY]


def url(port):
    return f"https://127.0.0.1:{port}"


def pulled(operation, port, path, *flags):
    """Pulls the list: every record came once. What nginx was asked."""
    service = ["--file", HERE / "tls.yaml", "--base-url", url(port), *TRUSTING]
    records, _ = support.pull("tls", operation, *service, *flags)
    support.same_records((record["id"] for record in records), IDS)
    return nginx.asked(path)


def refused(port, *texts):
    """A call is refused at once with these words, however good the request."""
    ran = support.nuncio("call", f"{url(port)}/", *TRUSTING)
    ran.ends_with(11).says(*texts, "tried: 1 attempt (connect)")


@case("an authority of the system is trusted, as SSL_CERT_FILE names it")
def _():
    one_page = f"{url(nginx.port)}/items?page=1"
    assert support.nuncio("call", one_page, env={"SSL_CERT_FILE": AUTHORITY}).ends_with(0).json()["total"] == len(IDS)


@case("an authority is trusted that --cacert, the environment or the settings name")
def _():
    one_page = f"{url(nginx.port)}/items?page=1"
    settings = support.work / "settings.toml"
    settings.write_text(f'cacert = "{AUTHORITY}"\n')
    support.nuncio("call", one_page, "--cacert", AUTHORITY).ends_with(0)
    support.nuncio("call", one_page, env={"NUNCIO_CACERT": AUTHORITY}).ends_with(0)
    support.nuncio("call", one_page, "--config", settings).ends_with(0)


@case("a file without a certificate is no authority")
def _():
    empty = support.work / "empty.pem"
    empty.touch()
    support.nuncio("call", url(nginx.port), "--cacert", empty).ends_with(1).says("certificate", "PEM")
    support.nuncio("call", url(nginx.port), "--cacert", support.work / "none.pem").ends_with(1).says("none.pem cannot be read")


@case("a certificate for another host is refused by name, once")
def _():
    refused(PORTS["OTHER"], "not for 127.0.0.1", "other.test", "help: check the host name")


@case("an expired certificate is refused, once")
def _():
    refused(PORTS["EXPIRED"], "has expired", "help: the server must renew it")


@case("a certificate of the future is refused, once")
def _():
    refused(PORTS["FUTURE"], "not valid yet", "help: check the clock")


@case("a certificate of an unknown authority is refused, once")
def _():
    refused(PORTS["STRANGE"], "authority that is not trusted", "help:", "--cacert")


@case("a server that speaks no TLS is found out, once")
def _():
    refused(PORTS["PLAIN"], "does not speak TLS", "http://")


@case("HTTP/2 is agreed on by ALPN, and a parallel pull shares one connection")
def _():
    asked = pulled("items.list", nginx.port, "/items?page=", "--concurrency", 8)
    asked = asked[-len(IDS) // 10 :]
    assert {entry["protocol"] for entry in asked} == {"HTTP/2.0"}
    assert len({entry["connection"] for entry in asked}) == 1


@case("HTTP/1.1 is spoken where the server offers no HTTP/2, and a parallel pull has several connections")
def _():
    asked = pulled("old.items.list", PORTS["OLD"], "/old/items", "--concurrency", 8)
    assert {entry["protocol"] for entry in asked} == {"HTTP/1.1"}
    assert 1 < len({entry["connection"] for entry in asked}) <= 8


@case("what nginx compressed by gzip is read")
def _():
    assert all(float(entry["gzip"]) > 2 for entry in nginx.asked("/old/items"))


@case("a pull over connections that end by GOAWAY loses nothing and asks for nothing twice")
def _():
    asked = pulled("brief.items.list", PORTS["BRIEF"], "/brief/items", "--concurrency", 8)
    assert len({entry["path"] for entry in asked}) == len(asked)
    assert len({entry["connection"] for entry in asked}) > 1


@case("POSTs over connections that end by GOAWAY are done once each, though they carry no idempotency key")
def _():
    orders = [f"order-{number}" for number in range(400)]
    lines = support.work / "orders.jsonl"
    lines.write_text("".join(json.dumps({"id": id}) + "\n" for id in orders))
    create = ["each", "tls", "brief.orders.create", "--from", lines, "id={{ item.id }}", "--concurrency", 32]
    service = ["--file", HERE / "tls.yaml", "--base-url", url(PORTS["BRIEF"]), *TRUSTING]
    support.nuncio(*create, *service).ends_with(0)
    done = [entry["path"] for entry in nginx.done("/brief/orders/")]
    support.same_records(done, (f"/brief/orders/{id}" for id in orders))
    asked = nginx.asked("/brief/orders/")
    assert {entry["protocol"] for entry in asked} == {"HTTP/2.0"}
    assert len({entry["connection"] for entry in asked}) >= len(orders) // 20


run()
