"""How long a search takes: ``python -m bench.search`` (or ``make bench-search``).

A person with 10,000 conversations of six messages, beside others with as many in all, on SQLite and on MariaDB: found,
not found, common words, rare ones, beginnings of words, long queries, long texts. Status 1 where one takes longer than
50 ms in the 95th percentile, whole requests as the server sees them, or 250 ms where texts of 200,000 characters are
looked through; and where a page of the list of conversations takes longer than 5 ms in the median. Besides, how
much room the index takes, and how long the end of an answer waits while it is made.
"""

import argparse
import contextlib
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import create_engine, func, insert, select
from sqlalchemy import text as sql
from sqlalchemy.engine import Connection

from bench.report import p95
from flask_app import create_app, database
from flask_app.config import Config
from flask_app.database import fetching, in_writing, new_id, transaction, utc_now, writing
from flask_app.models import Conversation, Message, Run, SearchPosting, User
from flask_app.services.completion.attempts import Outcome
from flask_app.services.runs import answer_service
from flask_app.services.search import search_index
from tests.support import clients, mariadb, storage

MOST_MILLISECONDS, MOST_FOR_LONG_TEXTS, MOST_FOR_A_LIST = 50, 250, 5
CONVERSATIONS, MESSAGES, OTHERS, TIMES = 10_000, 6, 10, 40
WORDS = 20_000
HAN = [chr(0x4E00 + place) for place in range(3_000)]
RARE = "螺旋星云"
LONG_TEXTS, LONG = 3, "a-" * 100_000
OF_LONG_TEXTS = "a-" * 7 + "b"  # which they have, but never so
SIZES = {
    "sqlite": "SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%search_%'",
    "mysql": "SELECT sum(data_length + index_length) FROM information_schema.tables"
    " WHERE table_schema = database() AND table_name LIKE 'search_%'",
}

# What is searched for, and what it is.
SEARCHES = {
    "a rare phrase, Chinese": RARE,
    "a rare word": "zeppelin",
    "the commonest two characters": HAN[0] + HAN[1],
    "the commonest word": "w0",
    "one common character": HAN[0],
    "the beginning of many words": "w1",
    "common words that are nowhere together": f"{HAN[5] + HAN[6]} w3 {RARE}",
    "a common word and the beginning of many": "w2 w4",
    "nothing, Chinese": "龘靐龗",
    "nothing": "nowhereatall",
    "apart, and never as asked": HAN[0] + HAN[1] + HAN[0] + HAN[2] + HAN[0] + HAN[1],
    "200 characters, of one word": "".join(HAN[at % 20] for at in range(200)),
    "200 characters, of 32 words and more": " ".join(f"w{at}" for at in range(60))[:200],
    "in texts of 200,000 characters": OF_LONG_TEXTS,
}


class Speech:
    """Made-up texts, in Chinese and English by turns; the second word of a list is half as common as the first."""

    def __init__(self) -> None:
        self._random = random.Random(20230320)
        self._words, self._han = [[1 / (place + 1) for place in range(size)] for size in (WORDS, len(HAN))]
        self._cumulated = [_sums(self._words), _sums(self._han)]

    def text(self, length: int) -> str:
        if self._random.random() < 0.5:
            return "，".join("".join(self._some(HAN, 1, 9)) for _ in range(length // 10))
        names = range(WORDS)
        return " ".join(f"w{place}" for place in self._some(names, 0, length // 5))

    def _some(self, of: list[str] | range, which: int, count: int) -> list[str]:
        return self._random.choices(of, cum_weights=self._cumulated[which], k=count)  # type: ignore[arg-type]


def main() -> None:
    """Print a table; status 1 where something took too long."""
    parser = argparse.ArgumentParser(prog="bench.search", description="How long a search takes.")
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS, help="of the person, six messages each")
    parser.add_argument("--database", choices=["sqlite", "mariadb"], help="only on this one")
    arguments = parser.parse_args()
    slow = False
    for name in [arguments.database] if arguments.database else ["sqlite", "mariadb"]:
        with tempfile.TemporaryDirectory() as folder, database_url(name, Path(folder)) as url:
            slow |= _measure(name, url, Path(folder), arguments.conversations)
    sys.exit(slow)


@contextlib.contextmanager
def database_url(name: str, folder: Path) -> Iterator[str]:
    """An empty database: in the folder, or on a server of its own."""
    if name == "sqlite":
        yield f"sqlite:///{folder / 'mingchat.db'}"
    else:
        with mariadb.server() as url:
            yield url


def _measure(name: str, url: str, folder: Path, conversations: int) -> bool:
    storage.migrate(url)
    secret = "the key that only this bench knows, long enough"
    app = create_app(Config(instance_dir=folder, secret_key=secret, encryption_key=secret, database_url=url))
    people = [
        User(username=f"p{at}", username_key=f"p{at}", password_hash="", role="member") for at in range(OTHERS + 1)
    ]
    with transaction() as session:
        session.add_all(people)
    letters = sum(
        _fill(person.id, *((conversations, LONG_TEXTS) if at == 0 else (conversations // OTHERS, 0)))
        for at, person in enumerate(people)
    )
    client = clients.signed_in(app, people[0])
    slow = _list_is_slow(name, client)
    seconds, waits = _catch_up(people[1].id)
    with create_engine(url).connect() as connection:  # millions of rows may take longer than a server may be silent
        rows = connection.scalar(select(func.count()).select_from(SearchPosting))
    windows = app.extensions["rate_windows"].values()
    print(f"\n{letters / 1e6:.0f} million characters were added in {seconds:.0f} s: {rows:,} rows of words")
    print(_room())
    print(f"{len(waits)} answers that ended meanwhile: median {median(waits):.1f} ms, 99th {_late(waits):.1f} ms\n")
    print("| search | hits on the page | median | 95th percentile |\n|---|--:|--:|--:|")
    for what, words in SEARCHES.items():
        for window in windows:
            window.clear()
        found, times = _ask(client, "/api/conversations/search", q=words)
        late = p95(times)
        slow |= late > (MOST_FOR_LONG_TEXTS if words == OF_LONG_TEXTS else MOST_MILLISECONDS)
        print(f"| {what} | {len(found['hits'])} | {median(times):.1f} ms | {late:.1f} ms |")
    database.disconnect()
    return slow


def _list_is_slow(name: str, client: clients.PageClient) -> bool:
    """It knows nothing of the index, which takes a quarter of an hour to be made: it is asked before."""
    _, times = _ask(client, "/api/conversations/unfiled", limit="40")
    said = f"median {median(times):.1f} ms, 95th percentile {p95(times):.1f} ms"
    print(f"\n{name}: the first page of the list: {said}", flush=True)
    return median(times) > MOST_FOR_A_LIST


def _catch_up(user_id: str) -> tuple[float, list[float]]:
    """Have everything added; gives the seconds, and the milliseconds that each end of an answer took meanwhile."""
    answers = _answers(user_id, 2_000)
    begun = time.monotonic()
    adding = threading.Thread(target=search_index.catch_up)
    adding.start()
    waits: list[float] = []
    while adding.is_alive():
        if len(waits) < len(answers):
            end = partial(_end, ids=answers[len(waits)])
            started = time.perf_counter()
            in_writing(end)
            waits.append((time.perf_counter() - started) * 1000)
        time.sleep(0.1)
    return time.monotonic() - begun, waits


def _end(connection: Connection, ids: dict[str, str]) -> None:
    answer_service.end(connection, Outcome(text_parts=["ended"]), **ids)


def _answers(user_id: str, count: int) -> list[dict[str, str]]:
    """Answers in the making, of one conversation."""
    talk, now = new_id(), utc_now()
    rows = [{"run_id": new_id(), "message_id": new_id(), "conversation_id": talk} for _ in range(count)]
    run = {"user_id": user_id, "worker": "bench", "lease_expires_at": now, "created_at": now, "status": "running"}
    message = {"role": "assistant", "text": "", "status": "running", "created_at": now}
    with writing() as connection:
        talks = {"id": talk, "user_id": user_id, "title": "Answers", "created_at": now, "updated_at": now}
        connection.execute(insert(Conversation), [talks])
        places = [{"id": row["message_id"], "conversation_id": talk} | message for row in rows]
        connection.execute(insert(Message), places)
        runs = [{"id": row["run_id"], "message_id": row["message_id"], "conversation_id": talk} | run for row in rows]
        connection.execute(insert(Run), runs)
    return rows


def _room() -> str:
    with fetching() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        if not on_sqlite:  # which else tells of some minutes ago
            connection.execute(sql("ANALYZE TABLE search_postings, search_documents")).all()
        room = float(connection.scalar(sql(SIZES["sqlite" if on_sqlite else "mysql"])) or 0)
        length = func.octet_length if on_sqlite else func.length
        size = float(connection.scalar(select(func.sum(length(Message.text)))) or 1)
    return f"the index takes {room / 1e6:.0f} MB, {room / size:.1f} times the texts' {size / 1e6:.0f} MB"


def _ask(client: clients.PageClient, path: str, **query: str) -> tuple[Any, list[float]]:
    """What is found, and the milliseconds that each time took."""
    found, times = None, []
    for _ in range(TIMES):
        begun = time.perf_counter()
        reply = client.get(path, query_string=query)
        times.append((time.perf_counter() - begun) * 1000)
        assert reply.status_code == 200, reply.data
        found = reply.json
    return found, times


def _fill(user_id: str, conversations: int, long_texts: int) -> int:
    """Gives how many characters. Some texts are as long as a message may be."""
    speech, letters, now = Speech(), 0, utc_now()
    for first in range(0, conversations, 500):
        talks, messages = [], []
        for number in range(first, min(first + 500, conversations)):
            talk = new_id()
            dates = {"created_at": now, "updated_at": now}
            talks.append({"id": talk, "user_id": user_id, "title": speech.text(30), **dates})
            for turn in range(MESSAGES):
                text = speech.text(900 if turn % 2 else 80)
                text += f" {RARE} zeppelin" if number % 1000 == 500 and turn == 3 else ""
                text = f"b {LONG}" if number < long_texts and turn == 1 else text
                letters += len(text)
                role = "assistant" if turn % 2 else "user"
                messages.append(
                    {"id": new_id(), "conversation_id": talk, "role": role, "text": text, "created_at": now}
                )
        with writing() as connection:
            connection.execute(insert(Conversation), talks)
            connection.execute(insert(Message), messages)
    return letters


def _late(times: list[float]) -> float:
    """The 99th percentile."""
    return sorted(times)[len(times) * 99 // 100]


def _sums(weights: list[float]) -> list[float]:
    total, sums = 0.0, []
    for weight in weights:
        total += weight
        sums.append(total)
    return sums


if __name__ == "__main__":
    main()
