"""/api/me/import: prompts and assistants of the file of everything come in elsewhere, each once, as they were."""

import json
import time
from typing import Any

import pytest
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction
from flask_app.models import Assistant, AssistantFile, Group, ImportedDaily, Prompt, User
from flask_app.services.assistants import assistant_terms, known_files, own_assistants
from flask_app.services.portability import import_quota
from flask_app.services.prompts import own_prompts, prompt_terms
from flask_app.services.prompts.prompt_terms import Wanted
from tests.conftest import MakeUser, SignIn
from tests.routes.test_own_data import lines, refusal, unpacked
from tests.support import files as attached
from tests.support.clients import PageClient

LOOK, IMPORT = "/api/me/import/look", "/api/me/import"
MOMENT = "2026-11-25T04:05:06.000007Z"
TEXT = "Write about {{topic}} for {{reader: children}}.\n\n主题：{{主题：春天}}"
KINDS = ("prompts", "assistants")


@pytest.fixture
def another(make_user: MakeUser, sign_in: SignIn) -> PageClient:
    return sign_in(make_user("another"))


def prompt(**given: Any) -> dict[str, Any]:
    told = {"id": "p", "command": "sum", "title": "Sum it up", "text": TEXT, "created_at": MOMENT, "updated_at": MOMENT}
    return told | given


def assistant(**given: Any) -> dict[str, Any]:
    told = {"id": "a", "name": "Tutor", "icon": "🎓", "instructions": "Ask back.", "model": None, "thinking": "max"}
    return told | {"created_at": MOMENT, "updated_at": MOMENT, "files": []} | given


def sent(client: PageClient, url: str = IMPORT, **body: Any) -> Any:
    response = client.post(url, json=body)
    assert response.status_code == 200, response.text
    return response.json


def how(reply: Any) -> list[tuple[str, str | None]]:
    return [(each["outcome"], each["code"]) for kind in KINDS for each in reply[kind]]


def taken(client: PageClient) -> dict[str, Any]:
    found = unpacked(client)
    return {kind: lines(found[f"{kind}.jsonl"]) for kind in KINDS} | {
        "files": {
            name.split()[0].removeprefix("files/"): content
            for name, content in found.items()
            if name.startswith("files/")
        }
    }


def without_ids(told: Any) -> Any:
    told = json.loads(json.dumps({kind: told[kind] for kind in KINDS}))
    for each in (each for kind in KINDS for each in told[kind]):
        for named in (each, *each.get("files", ())):
            named["id"] = ""
    return told


def bring(client: PageClient, told: Any) -> Any:
    """As the page does: contents first, under whatever name (which counts among their tokens)."""
    wanted = {named["id"] for each in told["assistants"] for named in each["files"]}
    here = {each: attached.kept(client, told["files"][each], "x.txt")["id"] for each in sorted(wanted)}
    return sent(client, prompts=told["prompts"], assistants=told["assistants"], contents=here)


def test_what_is_taken_along_comes_in_elsewhere_as_it_was_and_once(
    member_client: PageClient, another: PageClient
) -> None:
    ids = [attached.kept(member_client, f"words {n}".encode(), f"{n}.txt")["id"] for n in range(3)]
    for command, text in (("sum", TEXT), ("译", "Translate: {{text}}")):
        kept: Any = {"command": command, "title": f"Of {command}", "text": text}
        assert member_client.post("/api/prompts", json=kept).status_code == 201
    served: Any = member_client.get("/api/models").json
    model = served["models"][0]["name"] if "name" in served["models"][0] else served["models"][0]["id"]
    for given in ({"files": ids[::-1], "icon": "🎓", "thinking": "max"}, {"model": model, "thinking": False}, {}):
        body = {"name": "Tutor", "instructions": "Ask back."} | given
        assert member_client.post("/api/assistants", json=body).status_code == 201
        time.sleep(0.002)  # ids tell which came first by their milliseconds
    told = taken(member_client)
    looked = sent(another, LOOK, prompts=told["prompts"], assistants=told["assistants"])
    assert how(looked) == [("imported", None)] * 5
    assert another.get("/api/prompts").json["prompts"] == []  # type: ignore[index]
    reply = bring(another, told)
    assert how(reply) == [("imported", None)] * 5
    assert not any(each["lacks"] for kind in KINDS for each in reply[kind])
    there = taken(another)
    assert without_ids(there) == without_ids(told)
    named = [[there["files"][each["id"]] for each in one["files"]] for one in there["assistants"]]
    assert named == [[b"words 2", b"words 1", b"words 0"], [], []]

    assert how(sent(another, LOOK, prompts=told["prompts"], assistants=told["assistants"])) == [("known", None)] * 5
    assert how(bring(another, told)) == [("known", None)] * 5
    assert taken(another) == there
    assert how(bring(member_client, there)) == [("known", None)] * 5, "it is where it came from"
    assert without_ids(taken(member_client)) == without_ids(told)


def test_what_is_here_stays_as_it_is(member: User, member_client: PageClient) -> None:
    own_prompts.add(member, Wanted("SUM", "Mine", "My own."))
    sent(member_client, assistants=[assistant()])
    (brought,) = own_assistants.listed(member)
    own_assistants.change(member, brought.id, {"name": "Teacher"})
    reply = sent(member_client, prompts=[prompt()], assistants=[assistant(), assistant(id="b", name="Teacher")])
    assert how(reply) == [("known", None)] * 3
    with reading() as session:
        assert session.scalars(select(Prompt.text)).all() == ["My own."]
        assert session.scalars(select(Assistant.name)).all() == ["Teacher"]


@pytest.mark.security("imports-under-own-ids")
def test_an_id_in_a_file_lays_no_hand_on_what_is_anothers(member: User, admin: User, member_client: PageClient) -> None:
    theirs = own_prompts.add(admin, Wanted("theirs", "Theirs", "Their own."))
    guarded = own_assistants.add(admin, {"name": "Theirs", "icon": "", "instructions": "Their own."})
    file_id = attached.file_of(admin)
    brought = assistant(id=guarded.id, files=[{"id": "f", "name": "f.txt"}])
    reply = sent(member_client, prompts=[prompt(id=theirs.id)], assistants=[brought], contents={"f": file_id})
    assert how(reply) == [("imported", None)] * 2
    assert reply["assistants"][0]["lacks"]
    with reading() as session:
        assert session.get_one(Prompt, theirs.id).text == "Their own."
        assert session.get_one(Assistant, guarded.id).user_id == admin.id
        assert session.scalars(select(AssistantFile)).all() == []
        assert session.scalars(select(Prompt.user_id).where(Prompt.id != theirs.id)).all() == [member.id]


def test_what_cannot_be_kept_is_refused_by_itself(member_client: PageClient) -> None:
    variables = "".join(f"{{{{v{n}}}}}" for n in range(prompt_terms.MOST_VARIABLES + 1))
    prompts = [prompt(id="1", command="two words"), prompt(id="2", text=variables), prompt(id="3"), prompt(id="4")]
    reply = sent(member_client, prompts=prompts, assistants=[assistant(id="5", name=" "), assistant()])
    assert [code for _, code in how(reply)][:2] == ["bad_prompt_command", "too_many_variables"]
    assert how(reply)[2:] == [
        ("imported", None),
        ("known", None),
        ("refused", "bad_assistant_name"),
        ("imported", None),
    ]


def test_a_model_that_is_not_here_is_as_usual(member_client: PageClient) -> None:
    for url in (LOOK, IMPORT):
        (outcome,) = sent(member_client, url, assistants=[assistant(model="gone-7b")])["assistants"]
        assert (outcome["outcome"], outcome["lacks"]) == ("imported", True)
    with reading() as session:
        assert session.scalars(select(Assistant.model)).all() == [None]


def test_there_are_no_more_than_one_can_have(monkeypatch: pytest.MonkeyPatch, member_client: PageClient) -> None:
    monkeypatch.setattr(prompt_terms, "MOST", 1)
    monkeypatch.setattr(assistant_terms, "MOST", 1)
    both: Any = {
        "prompts": [prompt(id=str(n), command=f"c{n}") for n in range(2)],
        "assistants": [assistant(id=str(n), name=f"N{n}") for n in range(2)],
    }
    wanted = [
        ("imported", None),
        ("refused", "too_many_prompts"),
        ("imported", None),
        ("refused", "too_many_assistants"),
    ]
    assert how(sent(member_client, LOOK, **both)) == wanted
    assert how(sent(member_client, **both)) == wanted


@pytest.fixture
def known() -> dict[str, Any]:
    return assistant(files=[{"id": str(n), "name": f"../{n}.txt"} for n in range(known_files.MOST + 1)])


def test_of_documents_as_many_come_as_one_may_know(member_client: PageClient, known: dict[str, Any]) -> None:
    here = {
        str(n): attached.kept(member_client, f"{n}".encode(), f"{n}.txt")["id"] for n in range(known_files.MOST + 1)
    }
    here["0"] = attached.kept(member_client, attached.picture(), "picture.png")["id"]
    (outcome,) = sent(member_client, assistants=[known], contents=here)["assistants"]
    assert outcome["lacks"]
    with reading() as session:
        names = session.scalars(select(AssistantFile.name).order_by(AssistantFile.position)).all()
    assert names == [f"{n}.txt" for n in range(1, known_files.MOST + 1)]


def test_whose_group_may_attach_none_gets_none(member: User, member_client: PageClient, known: dict[str, Any]) -> None:
    here = {"0": attached.kept(member_client, b"words", "0.txt")["id"]}
    with transaction() as session:
        session.execute(update(Group).where(Group.id == member.group_id).values(file_quota_mb=0))
    (outcome,) = sent(member_client, assistants=[known], contents=here)["assistants"]
    assert (outcome["outcome"], outcome["lacks"]) == ("imported", True)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(AssistantFile)) == 0


@pytest.mark.security("imports-bounded")
def test_they_count_towards_what_comes_in_on_a_day(monkeypatch: pytest.MonkeyPatch, member_client: PageClient) -> None:
    sent(member_client, prompts=[prompt()], assistants=[assistant()])
    with reading() as session:
        counted = session.scalars(select(ImportedDaily)).one()
    assert (counted.messages, counted.text_bytes) == (2, len(TEXT.encode()) + len("Ask back."))
    monkeypatch.setattr(import_quota, "MOST_MESSAGES", 2)
    for body in ({"prompts": [prompt(id="2", command="more")]}, {"assistants": [assistant(id="2", name="More")]}):
        assert refusal(member_client.post(IMPORT, json=body)) == (429, "import_too_much_today")
    assert how(sent(member_client, prompts=[prompt()], assistants=[assistant()])) == [("known", None)] * 2


def test_who_is_signed_out_brings_nothing_in(client: PageClient) -> None:
    for url in (LOOK, IMPORT):
        assert client.post(url, json={"prompts": [prompt()]}).status_code == 401


@pytest.mark.parametrize(
    "body", [{"prompts": [{}]}, {"assistants": 1}, {"more": []}, {"prompts": [prompt(text="x" * 40_001)]}]
)
def test_what_is_no_such_file_is_refused(member_client: PageClient, body: Any) -> None:
    assert member_client.post(IMPORT, json=body).status_code in {400, 422}
