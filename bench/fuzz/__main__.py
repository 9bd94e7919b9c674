"""`python -m bench.fuzz`: see bench/README.md."""

import argparse
import secrets
import tempfile
import time
import traceback
from pathlib import Path

from bench.fuzz.check import check
from bench.fuzz.streams import Case, Streams

INPUTS = 1_000_000


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    options.add_argument("--inputs", type=int, default=INPUTS, help="how many streams (%(default)s)")
    options.add_argument("--seed", type=int, default=secrets.randbits(32), help="makes the same streams again")
    asked = options.parse_args()
    print(f"seed {asked.seed}", flush=True)
    began = time.monotonic()
    failed = first_failure(asked.seed, asked.inputs)
    if failed is not None:
        raise SystemExit(f"{failed[1]}\nThe input is in {_written(failed[0])}")
    rate = asked.inputs / (time.monotonic() - began)
    print(f"{asked.inputs:,} inputs held, {rate:,.0f} a second")


def first_failure(seed: int, inputs: int) -> tuple[Case, str] | None:
    """The first stream for which something does not hold, and what."""
    streams = Streams(seed)
    for number in range(1, inputs + 1):
        case = streams.next()
        try:
            check(case)
        except Exception:  # noqa: BLE001 - no exception is expected
            return case, f"input {number:,}: {traceback.format_exc()}"
    return None


def _written(case: Case) -> Path:
    file = Path(tempfile.mkdtemp(prefix="fuzz-")) / "case.py"
    file.write_text(f"{case!r}\n", encoding="utf-8")
    return file


if __name__ == "__main__":
    main()
