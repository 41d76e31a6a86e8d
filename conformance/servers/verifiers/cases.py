"""What nuncio signs, judged by the libraries that services verify with: oauthlib, http-message-signatures and PyJWT."""

import pathlib
import subprocess

import support
from harness import case, run

HERE = pathlib.Path(__file__).parent
SHARED = "made-up-secret-that-both-sides-share"
CONSUMER = {
    "CONSUMER_KEY": "madeUpConsumer0123456789",
    "CONSUMER_SECRET": "made-up consumer's secret: &+%ü",
    "TOKEN": "madeUpToken0123456789",
    "TOKEN_SECRET": "made-up token's secret: &+%ü",
}
KINDS = {
    "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ed25519": ["ED25519"],
}
# What escapes in a path, a query or a form, or looks as if it did.
ODD = "a b+c/d?e&f=g%20h,\"i\"'ü;~*!"


def private_key(kind, name):
    """A new private key of that kind, and `name`.public.pem."""
    key = support.work / f"{name}.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", *KINDS[kind], "-out", key], check=True, capture_output=True)
    public = support.work / f"{name}.public.pem"
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    return key.read_text()


PRIVATE = {kind: private_key(kind, kind) for kind in KINDS}
OTHERS = {kind: private_key(kind, f"{kind}-other") for kind in KINDS}
PRIVATE["shared"], OTHERS["shared"] = SHARED, "made-up-other-secret-of-enough-length"

port = support.free_port()
support.start([*support.SERVER, port, support.work], port)
SERVICE = ["--file", HERE / "signed.yaml", "--base-url", f"http://127.0.0.1:{port}"]


def call(operation, *inputs, env):
    return support.nuncio("call", "signed", operation, *inputs, *SERVICE, env=env)


def oauth1(operation, *inputs, **other):
    return call(f"oauth1.{operation}", *inputs, env={**CONSUMER, "KEY": PRIVATE["rsa"], **other})


def refused(ran, reason):
    """The verifier refused it, for this reason; what to do is told, and no key."""
    ran.ends_with(8).says("401", reason, "help:", "tried: ")
    shown = ran.err + ran.out
    keys = [*PRIVATE.values(), *OTHERS.values(), CONSUMER["CONSUMER_SECRET"], CONSUMER["TOKEN_SECRET"]]
    assert not any(line in shown for key in keys for line in key.splitlines() if "-----" not in line)


@case("OAuth 1.0a: each method and placement is taken, whatever path, query and form are made of")
def _():
    methods = {"sha1": "HMAC-SHA1", "sha256": "HMAC-SHA256", "sha512": "HMAC-SHA512", "rsa": "RSA-SHA1", "plaintext": "PLAINTEXT", "query": "HMAC-SHA1"}
    for operation, method in methods.items():
        taken = oauth1(operation, f"id={ODD}", f"q={ODD}").ends_with(0).json()
        assert taken == {"method": method}, operation
    for operation in ("form", "body"):
        oauth1(operation, f"text={ODD}", "empty=").ends_with(0)


@case("OAuth 1.0a: a wrong secret of the consumer or the token and an unknown consumer are refused")
def _():
    for operation in ("sha1", "sha256", "plaintext", "query"):
        for name in ("CONSUMER_SECRET", "TOKEN_SECRET"):
            refused(oauth1(operation, "id=a", "q=b", **{name: "made-up-other"}), "'client': True, 'signature': False")
        refused(oauth1(operation, "id=a", "q=b", CONSUMER_KEY="madeUpNobody0123456789"), "'client': False")
    refused(oauth1("rsa", "id=a", "q=b", KEY=OTHERS["rsa"]), "'client': True, 'signature': False")


MESSAGES = {"ed25519": "ed25519", "p256": "ecdsa-p256-sha256", "rsa": "rsa-pss-sha512", "shared": "hmac-sha256", "rsa15": "rsa-v1_5-sha256"}


def message(key, operation, *inputs, keys):
    return call(f"message.{key}.{operation}", *inputs, env={"KEY": keys[key.removesuffix("15")]})


@case("RFC 9421: each algorithm is taken, and the body's digest with it")
def _():
    for key in MESSAGES:
        covered = message(key, "get", f"id={ODD}", f"q={ODD}", keys=PRIVATE).ends_with(0).json()["covered"]
        assert covered == ['"@method"', '"@authority"', '"@path"', '"@query"', '"@signature-params"'], (key, covered)
        covered = message(key, "post", f"text={ODD}", keys=PRIVATE).ends_with(0).json()["covered"]
        assert covered[-3:-1] == ['"content-digest"', '"content-type"'], (key, covered)


@case("RFC 9421: every part of a signature that can be asked for is taken")
def _():
    taken = call("message.all", f"q={ODD}", f"text={ODD}", env={"KEY": PRIVATE["ed25519"]}).ends_with(0).json()
    assert taken["parameters"] == ["alg", "created", "expires", "keyid", "nonce", "tag"]
    assert '"@query-param";name="q"' in taken["covered"] and '"@target-uri"' in taken["covered"]


@case("RFC 9421: another key is refused")
def _():
    for key in MESSAGES:
        refused(message(key, "get", "id=a", "q=b", keys=OTHERS), "InvalidSignature")


@case("JWT: each algorithm is taken, with the claims of the service file")
def _():
    for key in ("rsa", "p256", "ed25519", "shared"):
        claims = call(f"jwt.{key}", env={"KEY": PRIVATE[key]}).ends_with(0).json()
        assert claims["iss"] == "made-up-issuer" and claims["exp"] - claims["iat"] == 120, claims


@case("JWT: another key and another audience are refused")
def _():
    for key in ("rsa", "p256", "ed25519", "shared"):
        refused(call(f"jwt.{key}", env={"KEY": OTHERS[key]}), "InvalidSignatureError")
    refused(call("jwt.elsewhere", env={"KEY": PRIVATE["p256"]}), "InvalidAudienceError")


run()
