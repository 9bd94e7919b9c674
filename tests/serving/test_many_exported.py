"""Ten thousand conversations, exported at the real server: how much of its memory that takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, select

from flask_app.database import new_id, table_of, utc_now
from flask_app.models import Conversation, Message, User
from tests.serving.test_hostile_files import peak
from tests.support.served import Served, served

MANY, AT_ONCE = 10_000, 1_000
ENDING = 22  # bytes of the last record of a zip
WORDS = "一盏灯 a lamp " * 60
ALL = "/api/conversations/export?format="
MOST = {
    "json": 6,
    "md": 24,
}  # megabytes: of a zip its list of files is kept, a kilobyte for each, which stands at its end


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    instance = tmp_path_factory.mktemp("instance")
    with served(instance, CHAT_RATE_LIMIT="1000/minute") as running:
        running.set_up()
        _fill(instance / "mingchat.db")
        one = running.get("/api/conversations?limit=1").json()["conversations"][0]["id"]
        for kind in MOST:  # what is made once is made
            assert running.get(f"{ALL}{kind}&id={one}").status == 200
        yield running


def _fill(database: Path) -> None:
    engine = create_engine(f"sqlite:///{database}", connect_args={"timeout": 60})
    talks, said, now = table_of(Conversation), table_of(Message), utc_now()
    with engine.connect() as connection:
        person = connection.scalars(select(table_of(User).c.id)).one()
    for _ in range(0, MANY, AT_ONCE):
        ids = [new_id() for _ in range(AT_ONCE)]
        with engine.begin() as connection:
            own = {"user_id": person, "title": "灯", "created_at": now, "updated_at": now}
            connection.execute(insert(talks), [{"id": each} | own for each in ids])
            asked = {"role": "user", "text": WORDS, "created_at": now}
            connection.execute(insert(said), [{"id": new_id(), "conversation_id": each} | asked for each in ids])
    engine.dispose()


@pytest.mark.parametrize("kind", MOST)
def test_ten_thousand_conversations_are_exported_in_flat_memory(server: Served, kind: str) -> None:
    (worker,) = server.workers()
    Path(f"/proc/{worker}/clear_refs").write_text("5", encoding="ascii")  # what was the most before is forgotten
    before, length, conversations, end = peak(worker), 0, 0, b""
    reply = server.ask("GET", ALL + kind, None, whole=False)
    assert reply.status == 200
    for piece in reply.stream(1 << 16):
        length += len(piece)
        conversations += piece.count(b'"folder_id":') if kind == "json" else 0
        end = (end + piece)[-ENDING:]
    reply.close()
    if kind == "md":
        conversations = int.from_bytes(end[10:12], "little")  # of files, in the last record of a zip
    taken = peak(worker) - before
    assert conversations >= MANY * 0.99, "a name may be cut by the end of a piece"
    assert taken < MOST[kind], f"{length >> 20} MB took {taken} MB beside {before}"
