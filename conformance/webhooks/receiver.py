"""Verifies and signs with the official Python libraries: python receiver.py PORT

`/verify/LIBRARY?secret=…` answers 200 when the library takes the request and 400 with its reason when not. `/sign/LIBRARY?secret=…` answers the
headers that the library signs the body with. `v1a` is no library's yet: it is verified by cryptography, as the specification says.
"""

import base64
import datetime
import http.server
import json
import sys
import urllib.parse

import standardwebhooks
import stripe
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sendgrid.helpers.eventwebhook import EventWebhook
from slack_sdk.signature import SignatureVerifier

NOW = datetime.datetime.now


def v1a(secret, body, headers):
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(secret.removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    (signature,) = [item[4:] for item in headers["webhook-signature"].split(" ") if item.startswith("v1a,")]
    key.verify(base64.b64decode(signature), signed)


def svix_names(headers):
    """Svix's library takes the names of the standard too."""
    return {name: value for name, value in headers.items() if name.startswith(("webhook-", "svix-"))}


def must(holds):
    if not holds:
        raise ValueError("no signature matches")


def slack_verify(secret, body, headers):
    timestamp, signature = headers["x-slack-request-timestamp"], headers["x-slack-signature"]
    must(SignatureVerifier(secret).is_valid(body=body, timestamp=timestamp, signature=signature))


def sendgrid_verify(public_key, body, headers):
    library = EventWebhook()
    signature, timestamp = (headers[f"x-twilio-email-event-webhook-{name}"] for name in ("signature", "timestamp"))
    must(library.verify_signature(body.decode(), signature, timestamp, library.convert_public_key_to_ecdsa(public_key)))


VERIFY = {
    "sendgrid": sendgrid_verify,
    "slack": slack_verify,
    "stripe": lambda secret, body, headers: stripe.Webhook.construct_event(body, headers["stripe-signature"], secret),
    "standardwebhooks": lambda secret, body, headers: standardwebhooks.Webhook(secret).verify(body, headers),
    "svix": lambda secret, body, headers: svix.webhooks.Webhook(secret).verify(body, svix_names(headers)),
    "v1a": v1a,
}


def standard(prefix, library):
    def sign(secret, body):
        now = NOW(datetime.timezone.utc)
        signature = library(secret).sign("msg_made_up", now, body)
        return {f"{prefix}-id": "msg_made_up", f"{prefix}-timestamp": str(int(now.timestamp())), f"{prefix}-signature": signature}

    return sign


def slack(secret, body):
    timestamp = str(int(NOW().timestamp()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    return {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}


SIGN = {
    "standard-webhooks": standard("webhook", standardwebhooks.Webhook),
    "svix": standard("svix", svix.webhooks.Webhook),
    "slack": slack,
}


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urllib.parse.urlsplit(self.path)
        (secret,) = urllib.parse.parse_qs(url.query)["secret"]
        _, verb, library = url.path.split("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            if verb == "verify":
                VERIFY[library](secret, body, headers)
                status, answer = 200, {name: headers.get(name) for name in ("webhook-id", "nuncio-attempt")}
            else:
                status, answer = 200, SIGN[library](secret, body.decode())
        except Exception as refusal:
            status, answer = 400, {"error": f"{type(refusal).__name__}: {refusal}"}
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
