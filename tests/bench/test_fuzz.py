"""A small number of the made-up streams of `make fuzz`; and decoders with a fault in them, which it must find."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.fuzz.__main__ import first_failure, main
from bench.fuzz.check import Broken, check
from bench.fuzz.streams import Case, Streams
from flask_app.domain import sse
from flask_app.domain.sse import Decoder
from flask_app.upstream import chunks, counts
from flask_app.upstream.chunks import ChunkReader

SEED, INPUTS = 20_230_320, 20_000
SOON = 7_000


def test_every_promise_holds_for_every_stream() -> None:
    failed = first_failure(SEED, INPUTS)
    assert failed is None, failed


def test_a_seed_makes_the_same_streams() -> None:
    first, again = Streams(7), Streams(7)
    assert [first.next() for _ in range(500)] == [again.next() for _ in range(500)]


def forgets_a_split_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def plain(decoder: Decoder, chunk: bytes) -> bytes:
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    monkeypatch.setattr(Decoder, "_with_plain_line_ends", plain)


def holds_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def hold(decoder: Decoder, part: bytes) -> None:
        decoder._pending += part

    monkeypatch.setattr(Decoder, "_hold", hold)


def counts_the_last_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Decoder._hold

    def hold(decoder: Decoder, part: bytes) -> None:
        held(decoder, part)
        if len(decoder._pending) > decoder._limit:
            decoder.fault = sse.StreamTooLarge(decoder._limit)

    monkeypatch.setattr(Decoder, "_hold", hold)


def takes_the_mark_of_every_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = Decoder.feed
    monkeypatch.setattr(Decoder, "feed", lambda decoder, chunk: fed(decoder, chunk.removeprefix(sse.BYTE_ORDER_MARK)))


def raises_at_deep_nesting(monkeypatch: pytest.MonkeyPatch) -> None:
    decode = chunks._decode_chunk

    def decoded(payload: bytes) -> Any:
        try:
            return decode(payload)
        except RecursionError as error:
            raise LookupError from error

    monkeypatch.setattr(chunks, "_decode_chunk", decoded)


def keeps_the_last_piece_only(monkeypatch: pytest.MonkeyPatch) -> None:
    read = ChunkReader.read
    monkeypatch.setattr(ChunkReader, "read", lambda reader, payloads: read(reader, list(payloads)[-1:]))


def lets_parts_exceed_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "min", lambda part, _: part, raising=False)


@pytest.mark.parametrize(
    "fault",
    [
        forgets_a_split_line_end,
        holds_without_bound,
        counts_the_last_line_end,
        takes_the_mark_of_every_piece,
        raises_at_deep_nesting,
        keeps_the_last_piece_only,
        lets_parts_exceed_the_whole,
    ],
)
def test_a_fault_would_be_found(monkeypatch: pytest.MonkeyPatch, fault: Callable[[pytest.MonkeyPatch], None]) -> None:
    fault(monkeypatch)
    assert first_failure(SEED, SOON) is not None


def test_what_failed_is_written_out_and_the_status_tells(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    holds_without_bound(monkeypatch)
    monkeypatch.setattr("sys.argv", ["fuzz", "--inputs", str(SOON), "--seed", str(SEED)])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit, match="may have") as ended:
        main()
    (written,) = tmp_path.rglob("case.py")
    case = eval(written.read_text(), {"Case": Case})
    assert str(written) in str(ended.value.code)
    with pytest.raises(Broken):
        check(case)
    assert capsys.readouterr().out == f"seed {SEED}\n"


def test_a_run_without_failure_says_how_fast_it_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz", "--inputs", "10"])
    main()
    assert re.fullmatch(r"seed \d+\n10 inputs held, [\d,]+ a second\n", capsys.readouterr().out)
