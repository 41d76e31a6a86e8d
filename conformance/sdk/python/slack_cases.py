"""The official `slack_sdk` package against the sandbox: python slack_cases.py URL"""

import os
import sys
import uuid

from harness import case, fault, raises, run
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler, ServerErrorRetryHandler

URL = sys.argv[1]


def client(token=os.environ["SLACK_BOT_TOKEN"], headers=None, retry_handlers=()):
    return WebClient(token=token, base_url=URL, headers=headers, retry_handlers=list(retry_handlers))


api = client()


def channel():
    return api.conversations_create(name=f"team-{uuid.uuid4()}")["channel"]["id"]


@case("a message with blocks is posted, as JSON")
def _():
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*deployed*"}}]
    where = channel()
    answer = api.chat_postMessage(channel=where, text="deployed", blocks=blocks)
    assert answer["ok"] and answer["channel"] == where and answer["ts"]
    assert answer["message"]["text"] == "deployed" and answer["message"]["blocks"] == blocks


@case("a posted message is updated")
def _():
    where = channel()
    posted = api.chat_postMessage(channel=where, text="draft")
    updated = api.chat_update(channel=where, ts=posted["ts"], text="final")
    assert updated["ts"] == posted["ts"] and updated["text"] == "final"


@case("a channel is created and retrieved by POST, as the SDK sends every method")
def _():
    created = api.conversations_create(name=f"team-{uuid.uuid4()}")["channel"]
    retrieved = api.conversations_info(channel=created["id"])["channel"]
    assert retrieved["name"] == created["name"]


@case("a call without arguments is answered")
def _():
    assert api.auth_test()["ok"]


@case("iterating a list follows the cursor and yields each of 260 channels once")
def _():
    created = {channel() for _ in range(260)}
    listed = [found["id"] for page in api.conversations_list(limit=100) for found in page["channels"]]
    assert len(listed) == len(set(listed))
    assert created <= set(listed)


@case("ok: false under HTTP 200 is a SlackApiError with Slack's code")
def _():
    error = raises(SlackApiError, api.conversations_info, channel="C0NOBODY")
    assert error.response.status_code == 200 and error.response["error"] == "channel_not_found"


@case("a wrong token is a SlackApiError with invalid_auth")
def _():
    error = raises(SlackApiError, client(token="xoxb-wrong").auth_test)
    assert error.response["error"] == "invalid_auth"


@case("a 429 is a SlackApiError with ratelimited and a Retry-After in whole seconds")
def _():
    error = raises(SlackApiError, client(headers=fault("429; retry-after=1")).auth_test)
    assert error.response.status_code == 429 and error.response["error"] == "ratelimited"
    assert int(error.response.headers["Retry-After"]) == 1


@case("RateLimitErrorRetryHandler waits as told and succeeds")
def _():
    patient = client(headers=fault("429; retry-after=1; times=1"), retry_handlers=[RateLimitErrorRetryHandler()])
    assert patient.auth_test()["ok"]


@case("ServerErrorRetryHandler gets over one 503")
def _():
    patient = client(headers=fault("503; times=1"), retry_handlers=[ServerErrorRetryHandler()])
    assert patient.auth_test()["ok"]


run()
