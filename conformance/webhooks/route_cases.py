"""The whole path: an event that Stripe's library signs, `nuncio serve`, a message in the sandbox of Slack; and the gateway is killed in the middle.

What signs is this script's argument.
"""

import json
import random
import subprocess
import threading
import time
import urllib.request
from collections import Counter

import support
from harness import case, run

SECRET = "made-up-secret-of-payments"
# A kill lands at each of these moments, so often.
MOMENTS = ("before the ack", "after the ack", "during the call", "after the call")
KILLS = 5
# How long the sandbox takes over a message before it is there.
DELAY_SECONDS = 0.3
# A lease is so much longer than an attempt may take: what a killed gateway had in its care is due again then.
PATIENCE_SECONDS = 90

slack_port, port = support.free_port(), support.free_port()
slack, gateway = f"http://127.0.0.1:{slack_port}", f"http://127.0.0.1:{port}"
token = {"SLACK_BOT_TOKEN": "made-up-slack-token"}
plain = {"HOME": str(support.work), "XDG_CONFIG_HOME": str(support.work / "config"), **token}
delay = f"delay={int(DELAY_SECONDS * 1000)}ms:on=chat.postMessage"
support.start([support.NUNCIO, "sandbox", "slack", "--port", slack_port, "--no-limits", "--fault", delay], slack_port, env=plain)

(support.work / "config/nuncio").mkdir(parents=True)
(support.work / "config/nuncio/config.toml").write_text(f'[services.slack]\nbase_url = "{slack}/slack"\n')
inputs = {"channel": "{{ event.body.id }}", "text": "{{ event.body.data.object.failure_message }}"}
config = {
    "sources": {"payments": {"scheme": "stripe", "secrets": {"current": SECRET}}},
    "endpoints": {
        "tell": {
            "from": "source/payments",
            "types": ["charge.failed"],
            "to": {"operation": {"service": "slack", "operation": "chat.postMessage", "inputs": inputs}},
            "delivery": {"timeout": "2s", "schedule": ["1s", "1s", "1s", "1s", "1s", "1s", "1s"]},
        }
    },
}
(support.work / "relay.yaml").write_text(json.dumps(config))


def serve():
    command = [support.NUNCIO, "serve", "relay.yaml", "--listen", f"127.0.0.1:{port}", "--store", "relay.db"]
    return support.start(command, port, cwd=support.work, env=plain)


def kill(process):
    process.kill()
    process.wait()


def webhook(body):
    """The status that is answered to a webhook, 0 where nobody answers."""
    signed = subprocess.run([*support.SERVER, SECRET], input=body, capture_output=True, text=True, check=True)
    headers = {"Stripe-Signature": signed.stdout.strip(), "Content-Type": "application/json"}
    request = urllib.request.Request(f"{gateway}/in/payments", data=body.encode(), headers=headers, method="POST")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return answer.status
    except OSError:
        return 0


def applied():
    return support.fetch(f"{slack}/_sandbox/counts")["slack"]["operations"].get("chat.postMessage", {}).get("applied", 0)


def rest():
    """Leaves the gateway the time of a few calls, so that the next kill cuts off none that this one did not. What a killed one had in its care is due later."""
    deadline = time.monotonic() + 5 * DELAY_SECONDS
    while time.monotonic() < deadline and support.fetch(f"{gateway}/v1/deliveries?state=waiting&limit=1")["items"]:
        time.sleep(0.05)


def killed(process, moment, body):
    """Sends a webhook, and kills the gateway at this moment."""
    before = applied()
    if moment == "before the ack":
        sender = threading.Thread(target=webhook, args=[body])
        sender.start()
        time.sleep(random.uniform(0, 0.4))
        kill(process)
        sender.join()
        return
    assert webhook(body) == 200
    if moment == "during the call":
        time.sleep(random.uniform(0.05, DELAY_SECONDS))
    elif moment == "after the call":
        while applied() == before:
            time.sleep(0.005)
        time.sleep(random.choice([0, 0, random.uniform(0, 0.05)]))
    kill(process)


@case("each event that Stripe's library signs becomes one message, or is told of as one that may have become one")
def _():
    moments = {}
    for number in range(KILLS * len(MOMENTS)):
        moment, id = MOMENTS[number % len(MOMENTS)], f"evt_made_up_{number}"
        moments[id] = moment
        charge = {"object": "charge", "failure_message": f"{id} was declined"}
        body = json.dumps({"id": id, "object": "event", "type": "charge.failed", "data": {"object": charge}})
        killed(serve(), moment, body)
        # Stripe sends it again: what was not acknowledged, and sometimes what was.
        process = serve()
        assert [webhook(body), webhook(body)] == [200, 200]
        rest()
        kill(process)

    serve()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        deliveries = support.fetch(f"{gateway}/v1/deliveries?limit=500")["items"]
        if all(delivery["state"] in ("delivered", "dead") for delivery in deliveries):
            break
        time.sleep(1)
    # Each has a channel of its own: Slack takes one message a second and channel.
    messages = Counter()
    for id in moments:
        told, _ = support.pull("slack", "conversations.history", f"channel={id}", env=token)
        assert all(message["text"] == f"{id} was declined" for message in told), told
        messages[id] = len(told)
    ends = Counter()
    events = {}
    for delivery in deliveries:
        event = support.fetch(f"{gateway}/v1/events/{delivery['event']}")
        id = json.loads(event["body"])["id"]
        assert id not in events, f"{id} is stored twice"
        events[id] = delivery
        ends[(moments[id], delivery["state"], messages[id])] += 1
        if delivery["state"] == "delivered":
            assert messages[id] == 1, (id, messages[id])
        else:
            last = support.fetch(f"{gateway}/v1/deliveries/{delivery['id']}/attempts")["items"][-1]
            assert delivery["state"] == "dead" and "the call may have been made" in last["error"], (delivery, last)
            assert last["step"] == "chat.postMessage" and messages[id] <= 1, (last, messages[id])
    for (moment, state, count), times in sorted(ends.items()):
        print(f"killed {moment}: {times} {state} with {count} message{'' if count == 1 else 's'}")
    assert set(events) == set(moments), set(moments) - set(events)
    assert sum(messages.values()) == applied()


run()
