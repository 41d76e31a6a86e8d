"""lighttpd with mod_auth: Digest by SHA-256, which Apache does not have."""

import hashlib
import pathlib
import urllib.error

import support
from harness import case, raises, run

HERE = pathlib.Path(__file__).parent
USER, PASSWORD, REALM = "ada", "made-up: pass \"word\"", "made up"

port = support.free_port()
(support.work / "pages").mkdir()
(support.work / "pages/item-1.json").write_text('{"id": "item-1"}')
hashed = hashlib.sha256(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
(support.work / "users").write_text(f"{USER}:{REALM}:{hashed}\n")
text = (HERE / "digest.conf").read_text().replace("@WORK@", str(support.work)).replace("@PORT@", str(port))
(support.work / "lighttpd.conf").write_text(text)
support.start([*support.SERVER, "-D", "-f", support.work / "lighttpd.conf"], port)
URL = f"http://127.0.0.1:{port}"
SERVICE = ["--file", HERE.parent / "apache/digest.yaml", "--base-url", URL]


def call(password, *inputs):
    env = {"DIGEST_USER": USER, "DIGEST_PASSWORD": password}
    return support.nuncio("call", "digest", "items.get", "id=item-1", *inputs, *SERVICE, env=env)


@case("lighttpd asks for SHA-256 alone")
def _():
    refusal = raises(urllib.error.HTTPError, support.fetch, f"{URL}/item-1.json")
    challenges = refusal.headers.get_all("WWW-Authenticate")
    assert refusal.code == 401 and len(challenges) == 1 and "algorithm=SHA-256" in challenges[0], challenges


@case("the right password is taken, also with a query of odd characters")
def _():
    assert call(PASSWORD).ends_with(0).json() == {"id": "item-1"}
    call(PASSWORD, "note=a b+c/ü&d='e'").ends_with(0)


@case("a wrong password is refused after one answer, and not tried again")
def _():
    ran = call("made-up-other").ends_with(8).says("401", "tried: 2 attempts (401, 401)", "help:")
    assert "made-up-other" not in ran.err + ran.out


run()
