"""What the relay sends, and what `nuncio webhook trigger` does, judged by the official verifiers; what official helpers sign, received by the relay.

EXCHANGE in the environment is the program that delivers and receives, SIGNS what the receiver has helpers for, TAKES whose events it can verify and by
which library, NUNCIO the binary.
"""

import base64
import json
import os
import subprocess
import urllib.parse
import urllib.request

import support
from harness import case, run

OLD, NEW, OTHER = ("whsec_" + base64.b64encode(f"made-up-{name}-key-of-enough-bytes".encode()).decode() for name in ("old", "new", "other"))
# The public half of the Ed25519 key of that seed, which stands behind it in a private key.
PUBLIC_BYTES = base64.b64decode("a81OTwi0LyPvtqAp7ZlAdGoiSzvTvgFDlQFh+Sd6fkc=")
PRIVATE = "whsk_" + base64.b64encode(b"made-up-seed-of-thirty-two-byte!" + PUBLIC_BYTES).decode()
PUBLIC = "whpk_" + base64.b64encode(PUBLIC_BYTES).decode()
ID = "evt_01K74Z2E000000000000000000"
BODIES = [
    "{}",
    '{"name":"Ada"}',
    '{\n  "name": "\u00c4da \u2603 \U0001f600 \u202e",\r\n\t"n": 12345678901234567890.10 }\n',
    '{"escaped":"\\u0000\\ud83d\\ude00\\\\ \\" . , | %00 v1,"}',
    json.dumps({"long": "x" * 200_000}),
]

port = support.free_port()
support.start([*support.SERVER, port], port)
exchange = subprocess.Popen([os.environ["EXCHANGE"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")


def tell(what):
    exchange.stdin.write(json.dumps(what) + "\n")
    exchange.stdin.flush()
    return json.loads(exchange.stdout.readline())


def url(verb, library, secret):
    return f"http://127.0.0.1:{port}/{verb}/{library}?" + urllib.parse.urlencode({"secret": secret})


def deliver(library, known, signed_with, body="{}", attempt=1):
    """Delivers an event that is signed with some secrets to a receiver that knows one of them."""
    to = {"http": {"url": url("verify", library, known), "secrets": signed_with, "allow_addresses": ["127.0.0.0/8"]}}
    return tell({"deliver": {"to": to, "id": ID, "body": body, "attempt": attempt}})


def taken(*args, **kwargs):
    outcome = deliver(*args, **kwargs)
    assert outcome["taken"], outcome
    return json.loads(outcome["excerpt"])


def refused(*args):
    outcome = deliver(*args)
    assert not outcome["taken"] and outcome["status"] == 400, outcome


for library in ("standardwebhooks", "svix"):

    @case(f"{library} takes what is sent, whatever the body is made of")
    def _(library=library):
        for body in BODIES:
            taken(library, NEW, [NEW], body)

    @case(f"{library} takes each attempt, with the same id")
    def _(library=library):
        answers = [taken(library, NEW, [NEW], attempt=attempt) for attempt in (1, 2, 10)]
        assert [answer["webhook-id"] for answer in answers] == [ID] * 3
        assert [answer["nuncio-attempt"] for answer in answers] == ["1", "2", "10"]

    @case(f"{library} takes it during a rotation with the old secret and the new one, and beside v1a")
    def _(library=library):
        for secrets in ([NEW, OLD], [OLD, NEW], [PRIVATE, NEW, OLD]):
            for known in (OLD, NEW):
                taken(library, known, secrets)

    @case(f"{library} refuses what is signed with another secret, and what is not signed")
    def _(library=library):
        refused(library, NEW, [OTHER])
        refused(library, NEW, [])


@case("v1a is what the specification says, alone and beside v1")
def _():
    for body in BODIES:
        taken("v1a", PUBLIC, [PRIVATE], body)
        taken("v1a", PUBLIC, [NEW, PRIVATE], body)
    refused("v1a", PUBLIC, [NEW])


SECRETS = {"standard-webhooks": NEW, "svix": NEW}


def signed(library, body, secret):
    request = urllib.request.Request(url("sign", library, secret), data=body.encode(), method="POST")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.load(answer)


def receive(library, headers, body, secret):
    source = {"scheme": library, "secrets": {"current": secret}}
    return tell({"receive": {"source": source, "headers": headers, "body": body}})


for library in os.environ["SIGNS"].split():

    @case(f"what the helper of {library} signs is received and stored, and nothing else")
    def _(library=library):
        secret = SECRETS.get(library, "made-up-secret-of-a-source")
        other = OTHER if library in SECRETS else "made-up-other-secret"
        for body in BODIES:
            headers = signed(library, body, secret)
            reply = receive(library, headers, body, secret)
            assert 200 <= reply["status"] < 300 and reply["received"].startswith("Stored("), (reply, body[:100])
            for reply in (receive(library, headers, body + " ", secret), receive(library, headers, body, other), receive(library, {}, body, secret)):
                assert reply["status"] >= 400 and reply["received"].startswith("Refused("), reply


def nuncio(*args, secret=""):
    environment = {**os.environ, "MADE_UP_SECRET": secret}
    ran = subprocess.run([os.environ["NUNCIO"], "webhook", *args], env=environment, capture_output=True, text=True, encoding="utf-8")
    return ran.returncode, ran.stdout, ran.stderr


def own_key(provider):
    """A key pair where the provider has one of its own: the private half signs, the public one verifies."""
    code, out, _ = nuncio("secret", "--provider", provider, "--json")
    return json.loads(out) if code == 0 else None


for pair in os.environ["TAKES"].split():

    @case(f"every triggered event is taken by the library of {pair}, and none that is signed with another secret")
    def _(pair=pair):
        provider, library = pair.split("=")
        key = None if provider in SECRETS else own_key(provider)
        secret = key["private_key"] if key else SECRETS.get(provider, "made-up-secret-of-a-source")
        known = key["public_key"] if key else secret
        other = own_key(provider)["private_key"] if key else OTHER
        _, listed, _ = nuncio("trigger", provider, "--list", "--json")
        events = json.loads(listed)["events"]
        for event in events:
            sent = nuncio("trigger", provider, event, "--secret-env", "MADE_UP_SECRET", "--to", url("verify", library, known), secret=secret)
            assert sent[0] == 0, (event, sent)
        sent = nuncio("trigger", provider, events[0], "--secret-env", "MADE_UP_SECRET", "--to", url("verify", library, known), secret=other)
        assert sent[0] == 4, sent


try:
    run()
finally:
    exchange.kill()
    exchange.wait()
