"""What the cases share: nuncio, servers that end with the script, free ports.

A script is started with what starts the server as its arguments, and the path of nuncio in the environment.
"""

import atexit
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

NUNCIO = os.environ["NUNCIO"]
SERVER = sys.argv[1:]
STARTING_SECONDS = 30

work = pathlib.Path(tempfile.mkdtemp(prefix="nuncio-servers-"))
_processes = []


class Ran:
    """What a run of nuncio came to."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def ends_with(self, code):
        assert self.code == code, f"ended with {self.code} instead of {code}\n{self}"
        return self

    def says(self, *texts):
        for text in texts:
            assert text in self.err, f"does not say {text!r}\n{self}"
        return self

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"stdout: {self.out[:2000]}\nstderr: {self.err[-4000:]}"


def nuncio(*args, env=None, timeout=90):
    """Runs nuncio in an environment that has nothing but `env`."""
    given = {"HOME": str(work), "XDG_CONFIG_HOME": str(work / "config"), **(env or {})}
    command = [NUNCIO, *(str(arg) for arg in args)]
    return Ran(subprocess.run(command, cwd=work, env=given, capture_output=True, text=True, timeout=timeout))


def pull(*args, name="pulled.jsonl", **kwargs):
    """The records that a pull to a file yields, and the run."""
    file = work / name
    ran = nuncio("pull", *args, "--to", file, "--restart", **kwargs).ends_with(0)
    return [json.loads(line) for line in file.read_text().splitlines()], ran


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command, port, **kwargs):
    """Starts a server and waits until it listens at `port`. It ends with this script."""
    log = open(work / f"{pathlib.Path(str(command[0])).name}-{port}.log", "w+")
    process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, **kwargs)
    _processes.append(process)
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process
        except OSError:
            time.sleep(0.05)
    log.seek(0)
    raise RuntimeError(f"{command[0]} does not listen at port {port}:\n{log.read()}")


def fetch(url, method="GET"):
    """What the server says when it is asked without nuncio."""
    request = urllib.request.Request(url, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.load(answer)


def same_records(found, expected):
    """Each expected record came once, none other."""
    found, expected = list(found), list(expected)
    assert len(found) == len(set(found)), f"{len(found) - len(set(found))} records came twice"
    assert set(found) == set(expected), (
        f"lacking {sorted(set(expected) - set(found))[:5]}, strange {sorted(set(found) - set(expected))[:5]}"
    )


def _end():
    for process in _processes:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    shutil.rmtree(work, ignore_errors=True)


atexit.register(_end)
# A script that is asked to end ends its servers too.
signal.signal(signal.SIGTERM, lambda *_: exit(143))
