"""moto, which plays Amazon's services and verifies signatures with Amazon's own botocore."""

import os
import pathlib
import re
import urllib.parse
import urllib.request

import support
from harness import case, run

HERE = pathlib.Path(__file__).parent
# Requests that moto takes unsigned: those that make the account below.
UNSIGNED = 3
EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
# What escapes in a path or a query, or looks as if it did.
KEYS = ["plain", "with space", "a+b", "a=b&c", "ü東🎉", "100%", "a:b@c", "(a)*!'", "a~b-c_d.e", "a%2Fb"]

port = support.free_port()
environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(UNSIGNED), "NO_PROXY": "127.0.0.1"}
support.start([*support.SERVER, "-H", "127.0.0.1", "-p", port], port, env=environment)
SERVICE = ["--file", HERE / "aws.yaml", "--base-url", f"http://127.0.0.1:{port}"]


def iam(action, **fields):
    """One of the requests that are taken unsigned. The scope of the credential says which service is meant."""
    body = urllib.parse.urlencode({"Action": action, "Version": "2010-05-08", **fields}).encode()
    scope = "AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", body, {"Authorization": scope})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return answer.read().decode()


def account():
    iam("CreateUser", UserName="ada")
    key = iam("CreateAccessKey", UserName="ada")
    iam("PutUserPolicy", UserName="ada", PolicyName="everything", PolicyDocument=EVERYTHING)
    found = [re.search(f"<{name}>(.+?)</{name}>", key).group(1) for name in ("AccessKeyId", "SecretAccessKey")]
    return dict(zip(("KEY_ID", "SECRET_KEY"), found))


ACCOUNT = account()


def call(operation, *inputs, env=ACCOUNT):
    return support.nuncio("call", "aws", operation, *inputs, *SERVICE, env=env)


@case("a bucket is made by a signed request without a body")
def _():
    call("bucket.create").ends_with(0)


@case("objects are written and read, whatever their keys are made of")
def _():
    for key in KEYS:
        call("objects.put", f"key={key}", f"text=made up for {key}").ends_with(0)
        assert call("objects.get", f"key={key}").ends_with(0).json() == {"text": f"made up for {key}"}, key


@case("a query is signed, whatever it is made of")
def _():
    for text in KEYS:
        call("objects.get", "key=plain", f"x-made-up={text}").ends_with(0)


@case("a service in another region with another dialect takes its signatures too")
def _():
    call("queues.create", "QueueName=made-up").ends_with(0)
    (url,) = call("queues.list").ends_with(0).json()["QueueUrls"]
    assert url.endswith("/made-up")


@case("a wrong secret is refused by the signature, and a wrong key by its name")
def _():
    refused = call("objects.get", "key=plain", env={**ACCOUNT, "SECRET_KEY": "made-up-other-secret"})
    assert refused.code != 0
    refused.says("403", "SignatureDoesNotMatch")
    refused = call("objects.get", "key=plain", env={**ACCOUNT, "KEY_ID": "MADEUPOTHER"})
    assert refused.code != 0
    refused.says("403", "InvalidAccessKeyId")


run()
