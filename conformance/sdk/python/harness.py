"""The little that the scripts share: cases that are run in order and reported one a line."""

import json
import sys
import traceback
import urllib.request
import uuid
from collections import Counter
from contextlib import contextmanager
from urllib.parse import urljoin

_cases = []


def case(rule):
    """Registers a function as the case that holds `rule`."""

    def register(function):
        _cases.append((rule, function))
        return function

    return register


def run():
    """Runs every case and exits; 1 if one failed."""
    failed = 0
    for rule, function in _cases:
        try:
            function()
            print(f"ok - {rule}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok - {rule}\n{traceback.format_exc()}", flush=True)
    print(f"{len(_cases) - failed} of {len(_cases)} passed")
    sys.exit(1 if failed else 0)


def raises(error, function, *args, **kwargs):
    """The exception of class `error` that the call raises."""
    try:
        answer = function(*args, **kwargs)
    except error as raised:
        return raised
    raise AssertionError(f"expected {error.__name__}, got {answer!r}")


def counts(operation):
    """What the sandbox counted of an operation; what it has not counted yet is 0."""
    # No proxy of the environment stands before a sandbox.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urljoin(sys.argv[1], "/_sandbox/counts"), timeout=10) as answer:
        (service,) = json.load(answer).values()
    return Counter(service["operations"].get(operation, {}))


@contextmanager
def counted(operation):
    """After the block: how much more of each the sandbox has counted of the operation."""
    before, more = counts(operation), Counter()
    yield more
    more.update(counts(operation))
    more.subtract(before)


def fault(text):
    """Headers that ask the sandbox to misbehave. Unique, since the sandbox counts `times` by the header's text."""
    return {"Sandbox-Fault": f"{text}; id={uuid.uuid4()}"}
