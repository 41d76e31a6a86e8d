"""Certificates of made-up authorities, by the command line of OpenSSL."""

import subprocess
from datetime import datetime, timedelta, timezone

from support import work

CONFIG = """
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = policy
copy_extensions = copy
unique_subject = no
[policy]
commonName = supplied
"""
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*args):
    subprocess.run(["openssl", *args], cwd=work, check=True, capture_output=True, text=True)


def authority(name):
    """A certificate authority: `name`.pem and `name`.key."""
    openssl("req", "-x509", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN=made-up {name}")
    (work / "authority.cnf").write_text(CONFIG)
    (work / "index.txt").touch()


def certificate(name, by, hosts="DNS:localhost,IP:127.0.0.1", from_days=-1, to_days=1):
    """A server's certificate, `name`.pem for server.key, signed by the authority `by`."""
    key = ["-key", "server.key"] if (work / "server.key").exists() else [*KEY, "-keyout", "server.key"]
    openssl("req", "-new", *key, "-out", "request.csr", "-subj", f"/CN={name}", "-addext", f"subjectAltName={hosts}")
    signer = ["-config", "authority.cnf", "-cert", f"{by}.pem", "-keyfile", f"{by}.key"]
    times = ["-startdate", _day(from_days), "-enddate", _day(to_days)]
    openssl("ca", "-batch", "-notext", *signer, *times, "-in", "request.csr", "-out", f"{name}.pem")


def _day(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")
