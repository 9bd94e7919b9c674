"""A certificate for one host name, and a client that trusts it alone."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def contexts(host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server called `host` uses, and what a client that trusts it uses."""
    server, pem = server_of(host)
    return server, ssl.create_default_context(cadata=pem)


def server_of(host: str) -> tuple[ssl.SSLContext, str]:
    """What a server called `host` uses, and its certificate."""
    pem, secret = pems(host)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        both = Path(folder) / "both.pem"
        both.write_bytes(pem + secret)
        server.load_cert_chain(both)
    return server, pem.decode()


def pems(host: str, ends: datetime | None = None) -> tuple[bytes, bytes]:
    """A certificate that is its own authority, and its key; it ends in a day if not `ends`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=5))
        .not_valid_after(ends or now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), secret
