"""Says of each request whether the library of the scheme takes its signature: python server.py PORT KEYS

`/oauth1` is judged by oauthlib, `/message/ALGORITHM` by http-message-signatures, `/jwt` by PyJWT. What they take is answered by 200, what they
refuse by 401 with their reason.
"""

import http.server
import json
import pathlib
import sys
from types import SimpleNamespace

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

KEYS = pathlib.Path(sys.argv[2])
SECRET = "made-up-secret-that-both-sides-share"
# What a consumer and its token are called, each with its secret. The names are as long as oauthlib wants them.
CONSUMERS = {"madeUpConsumer0123456789": "made-up consumer's secret: &+%ü"}
TOKENS = {"madeUpToken0123456789": "made-up token's secret: &+%ü"}


def pem(name):
    return (KEYS / f"{name}.public.pem").read_text()


class Consumers(RequestValidator):
    enforce_ssl = False
    allowed_signature_methods = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "PLAINTEXT")
    dummy_client = dummy_access_token = "dummy"
    _used = set()

    def validate_client_key(self, client_key, request):
        return client_key in CONSUMERS

    def get_client_secret(self, client_key, request):
        return CONSUMERS.get(client_key, "dummy")

    def get_access_token_secret(self, client_key, token, request):
        return TOKENS.get(token, "dummy")

    def get_request_token_secret(self, client_key, token, request):
        return TOKENS.get(token, "dummy")

    def get_rsa_key(self, client_key, request):
        return pem("rsa")

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, request_token=None, access_token=None):
        is_new = (timestamp, nonce) not in self._used
        self._used.add((timestamp, nonce))
        return is_new


class MessageKeys(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id):
        return SECRET.encode() if key_id == "shared" else load_pem_public_key(pem(key_id).encode())


ALGORITHMS = {
    "ed25519": algorithms.ED25519,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "rsa-pss-sha512": algorithms.RSA_PSS_SHA512,
    "rsa-v1_5-sha256": algorithms.RSA_V1_5_SHA256,
    "hmac-sha256": algorithms.HMAC_SHA256,
}
JWT_KEYS = {"rsa": "RS256", "p256": "ES256", "ed25519": "EdDSA", "shared": "HS256"}
consumers = SignatureOnlyEndpoint(Consumers())


def oauth1(request):
    valid, judged = consumers.validate_request(request.url, request.method, request.body.decode(), dict(request.headers))
    # Without a log the request was refused for its form.
    assert valid, f"oauthlib refuses it: {judged and judged.validator_log}"
    return {"method": judged.signature_method}


def message(request):
    _, _, algorithm, *_ = request.path.split("?")[0].split("/")
    verifier = HTTPMessageVerifier(signature_algorithm=ALGORITHMS[algorithm], key_resolver=MessageKeys())
    (result,) = verifier.verify(request, body=request.body)
    return {"covered": list(result.covered_components), "parameters": sorted(result.parameters)}


def token(request):
    scheme, _, text = request.headers["Authorization"].partition(" ")
    assert scheme == "Bearer", scheme
    name = jwt.get_unverified_header(text)["kid"]
    key = SECRET if name == "shared" else pem(name)
    return jwt.decode(text, key, [JWT_KEYS[name]], audience="made-up-audience", options={"require": ["exp", "iat"]})


class Judge(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = f"http://{self.headers['Host']}{self.path}"
        request = SimpleNamespace(method=self.command, url=url, path=self.path, headers=self.headers, body=body)
        judge = {"oauth1": oauth1, "message": message, "jwt": token}[self.path.split("?")[0].split("/")[1]]
        try:
            status, answer = 200, judge(request)
        except Exception as refusal:
            status, answer = 401, {"error": f"{type(refusal).__name__}: {refusal}"}
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Judge).serve_forever()
