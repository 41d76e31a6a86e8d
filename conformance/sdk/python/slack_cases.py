"""The official `slack_sdk` package against the sandbox: python slack_cases.py URL"""

import os
import sys
import uuid

from harness import case, counted, fault, raises, run
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)

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


@case("a posted message is updated, listed and deleted")
def _():
    where = channel()
    posted = api.chat_postMessage(channel=where, text="draft")
    updated = api.chat_update(channel=where, ts=posted["ts"], text="final")
    assert updated["ts"] == posted["ts"] and updated["text"] == "final"
    assert [message["text"] for message in api.conversations_history(channel=where)["messages"]] == ["final"]
    assert api.chat_delete(channel=where, ts=posted["ts"])["ok"]
    assert api.conversations_history(channel=where)["messages"] == []


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
    with counted("conversations.list") as of_list:
        listed = [found["id"] for page in api.conversations_list(limit=100) for found in page["channels"]]
    assert len(listed) == len(set(listed))
    assert created <= set(listed)
    assert of_list["requests"] == -(-len(listed) // 100)


@case("ok: false under HTTP 200 is a SlackApiError with Slack's code")
def _():
    error = raises(SlackApiError, api.conversations_info, channel="C0NOBODY")
    assert error.response.status_code == 200 and error.response["error"] == "channel_not_found"


@case("a missing argument is a SlackApiError with invalid_arguments")
def _():
    assert raises(SlackApiError, api.api_call, "conversations.create").response["error"] == "invalid_arguments"


@case("a wrong token is a SlackApiError with invalid_auth")
def _():
    error = raises(SlackApiError, client(token="xoxb-wrong").auth_test)
    assert error.response["error"] == "invalid_auth"


@case("a 429 is a SlackApiError with ratelimited and a Retry-After in whole seconds")
def _():
    error = raises(SlackApiError, client(headers=fault("429; retry-after=1")).auth_test)
    assert error.response.status_code == 429 and error.response["error"] == "ratelimited"
    assert int(error.response.headers["Retry-After"]) == 1


def posted(text, *retry_handlers):
    """Posts a message that meets a fault: what the sandbox counted."""
    where = channel()
    with counted("chat.postMessage") as of_post:
        assert client(headers=fault(text), retry_handlers=retry_handlers).chat_postMessage(channel=where, text="late")["ok"]
    assert len(api.conversations_history(channel=where)["messages"]) == of_post["applied"]
    return of_post


@case("with RateLimitErrorRetryHandler a message that meets a 429 waits as told and is posted once")
def _():
    of_post = posted("429; retry-after=1; times=1", RateLimitErrorRetryHandler())
    assert (of_post["requests"], of_post["applied"], of_post["early"]) == (2, 1, 0)


@case("a 429 that stays is a SlackApiError after as many retries as the handler has, each as told")
def _():
    patient = client(headers=fault("429; retry-after=1"), retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=2)])
    with counted("auth.test") as of_test:
        error = raises(SlackApiError, patient.auth_test)
    assert error.response["error"] == "ratelimited"
    assert (of_test["requests"], of_test["early"]) == (3, 0)


@case("with ServerErrorRetryHandler a message that meets a 503 is posted once")
def _():
    of_post = posted("503; times=1", ServerErrorRetryHandler())
    assert (of_post["requests"], of_post["applied"]) == (2, 1)


@case("with ConnectionErrorRetryHandler a message whose connection is reset before it is accepted is posted once")
def _():
    of_post = posted("reset; times=1", ConnectionErrorRetryHandler())
    assert (of_post["requests"], of_post["applied"]) == (2, 1)


@case("a message whose answer is lost is posted twice by a retry: Slack has no idempotency key")
def _():
    of_post = posted("reset; after; times=1", ConnectionErrorRetryHandler())
    assert (of_post["requests"], of_post["applied"]) == (2, 2)


run()
