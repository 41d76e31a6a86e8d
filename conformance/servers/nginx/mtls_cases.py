"""nginx that wants to see a certificate: which ones it takes, and what nuncio says of those it refuses.

nginx refuses by an answer; OpenSSL's own server, which ends the handshake, stands for those that do that.
"""

import support
from harness import case, run
import certificates
from server import Nginx

certificates.authority("known")
certificates.authority("unknown")
certificates.certificate("good", by="known")
certificates.certificate("client", by="known")
certificates.certificate("expired", by="known", from_days=-3, to_days=-2)
certificates.certificate("strange", by="unknown")


def pem(name, *parts):
    file = support.work / f"{name}-identity.pem"
    file.write_text("".join((support.work / part).read_text() for part in parts))
    return file


KEY = (support.work / "server.key").read_text()
PORTS = {name: support.free_port() for name in ["OLD", "OPTIONAL"]}
nginx = Nginx("mtls.conf", **PORTS)
CLIENT = pem("client", "client.pem", "server.key")


def call(cert=None, port=nginx.port, **kwargs):
    shown = ["--cert", cert] if cert else []
    ran = support.nuncio("call", f"https://127.0.0.1:{port}/", "--cacert", support.work / "known.pem", *shown, **kwargs)
    assert not any(line in ran.err + ran.out for line in KEY.splitlines() if "-----" not in line)
    return ran


@case("a certificate of the right authority is taken, over HTTP/2 with TLS 1.3 and over HTTP/1.1 with TLS 1.2")
def _():
    for port, protocol in [(nginx.port, "TLSv1.3"), (PORTS["OLD"], "TLSv1.2")]:
        assert call(CLIENT, port).ends_with(0).json() == {"client": "CN=client", "protocol": protocol}


@case("the environment names the certificate, and the key may stand before it")
def _():
    file = pem("turned", "server.key", "client.pem")
    assert call(env={"NUNCIO_CERT": str(file)}).ends_with(0).json()["client"] == "CN=client"


@case("a certificate that PKCS#12 held is taken as openssl writes it")
def _():
    made = ["-export", "-in", CLIENT, "-out", "client.p12", "-passout", "pass:made-up"]
    certificates.openssl("pkcs12", *made)
    certificates.openssl("pkcs12", "-in", "client.p12", "-nodes", "-passin", "pass:made-up", "-out", "from-p12.pem")
    assert call(support.work / "from-p12.pem").ends_with(0).json()["client"] == "CN=client"


@case("without a certificate a call is refused once where one must be shown, and not where it may be")
def _():
    for port in (nginx.port, PORTS["OLD"]):
        call(port=port).says("400", "No required SSL certificate was sent", "tried: 1 attempt").ends_with(4)
    assert call(port=PORTS["OPTIONAL"]).ends_with(0).json() == {"verified": "NONE"}


@case("a certificate of another authority and one that has expired are refused by nginx, once")
def _():
    for name in ("strange", "expired"):
        for port in (nginx.port, PORTS["OLD"], PORTS["OPTIONAL"]):
            ran = call(pem(name, f"{name}.pem", "server.key"), port)
            ran.says("400", "The SSL certificate error", "tried: 1 attempt").ends_with(4)


@case("a server that ends the handshake is not tried again, and what it found is told")
def _():
    expected = {"-tls1_3": "the server wants to see a client certificate", "-tls1_2": "the server ended the handshake"}
    for version, anonymous in expected.items():
        port = support.free_port()
        wants = ["-CAfile", "known.pem", "-Verify", "2", "-verify_return_error"]
        shows = ["-cert", "good.pem", "-key", "server.key", version, "-www", "-quiet"]
        support.start(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", *shows, *wants], port, cwd=support.work)
        call(CLIENT, port).ends_with(0)
        refused = {
            None: [anonymous, "--cert"],
            "strange": ["the server does not trust the authority of the client certificate", "help:"],
            "expired": ["the client certificate has expired", "help: renew"],
        }
        for name, says in refused.items():
            cert = name and pem(name, f"{name}.pem", "server.key")
            call(cert, port).says(*says, "tried: 1 attempt").ends_with(11)


@case("a certificate without its key, with another or with one that is encrypted is refused before anything is sent")
def _():
    call(support.work / "client.pem").ends_with(1).says("private key", "PEM")
    call(pem("other", "client.pem", "known.key")).ends_with(1).says("client certificate", "cannot be used")
    certificates.openssl("pkey", "-in", "server.key", "-aes256", "-passout", "pass:made-up", "-out", "encrypted.key")
    call(pem("encrypted", "client.pem", "encrypted.key")).ends_with(1).says("without a passphrase")
    call(support.work / "server.key").ends_with(1).says("client certificate is not there", "PEM")
    call(support.work / "none.pem").ends_with(1).says("none.pem cannot be read")


run()
