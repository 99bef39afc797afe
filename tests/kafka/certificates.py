"""Certificates of a test's own authority, made by openssl: good ones, and one that has expired."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files."""

    authority: Path
    """The certificate that clients and brokers trust."""
    broker: Path
    """Key, certificate and chain of a broker on 127.0.0.1."""


def make_certificates(folder: Path, *, expired: bool = False) -> Certificates:
    """An authority and a broker's certificate in a folder; an expired one ended in 2021.

    Raises:
        RuntimeError: openssl is missing or failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    _openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=tests"),
        *("-keyout", str(authority_key), "-out", str(authority)),
    )
    request, key, certificate = folder / "broker.csr", folder / "broker.key", folder / "broker.crt"
    _openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext", _NAMES),
        *("-keyout", str(key), "-out", str(request)),
    )
    _sign(folder, request, certificate, expired=expired)
    bundle = folder / "broker.pem"
    bundle.write_text(key.read_text() + certificate.read_text() + authority.read_text())
    return Certificates(authority, bundle)


def _sign(folder: Path, request: Path, certificate: Path, *, expired: bool) -> None:
    # `openssl ca` alone takes both dates; `x509` of older versions only counts days from now.
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("01\n")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca = own\n[own]\ndatabase = {folder}/index.txt\nserial = {folder}/serial\n"
        f"new_certs_dir = {folder}\ndefault_md = sha256\npolicy = any\ncopy_extensions = copy\n"
        "[any]\ncommonName = supplied\n"
    )
    dates = ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z") if expired else ("-days", "30")
    _openssl(
        *("ca", "-batch", "-notext", "-config", str(folder / "ca.cnf"), "-in", str(request), "-out", str(certificate)),
        *("-cert", str(folder / "authority.pem"), "-keyfile", str(folder / "authority.key"), *dates),
    )


def _openssl(*arguments: str) -> None:
    if (openssl := shutil.which("openssl")) is None:
        raise RuntimeError("tests of TLS need openssl: install it")
    done = subprocess.run([openssl, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr}")
