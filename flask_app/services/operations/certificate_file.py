"""The certificate that nginx is given, where it lies beside the code."""

from flask_app import config

FILE = config.ROOT / "ssl" / "fullchain.pem"


def ends() -> float | None:
    """When it ends, in seconds since 1970; None where there is none.

    Raises OSError or ValueError where it cannot be read.
    """
    from cryptography.x509 import load_pem_x509_certificate  # most processes are never asked

    try:
        written = FILE.read_bytes()
    except FileNotFoundError:
        return None
    return load_pem_x509_certificate(written).not_valid_after_utc.timestamp()
