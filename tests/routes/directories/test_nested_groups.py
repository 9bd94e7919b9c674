"""Groups within groups of a directory: asked for level by level, or by Active Directory's own rule."""

from collections.abc import Iterator
from typing import Any

import pytest

from flask_app.errors import Invalid
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from flask_app.services.sign_in import directories, directory_groups
from flask_app.services.sign_in.directories import Place
from flask_app.services.sign_in.directory_terms import ALONE, IN_CHAIN, WALKED
from flask_app.upstream import directory_filters
from tests.support import directory, identities
from tests.support.clients import PageClient, new_client
from tests.support.directory import GROUPS, HOUSE, READER_PASSWORD, RealDirectory
from tests.support.entrance import login

THERE = "a word in the directory"


@pytest.fixture
def nested(campus: RealDirectory) -> Iterator[RealDirectory]:
    """Deep is in class, class in year, year in school, and school in class again: a ring."""
    deep = campus.know("deep", THERE)
    made = [group(campus, "class", deep)]
    for name in ("year", "school"):
        made.append(group(campus, name, made[-1]))
    campus.join(made[-1], made[0])
    yield campus
    for dn in (*made, deep):
        campus.forget(dn)


def group(campus: RealDirectory, name: str, *members: str) -> str:
    dn = f"cn={name},{GROUPS}"
    lines = [f"dn: {dn}", "changetype: add", "objectClass: groupOfNames", *(f"member: {each}" for each in members)]
    campus.change("\n".join(lines) + "\n")
    return dn


def found(campus: RealDirectory, who: str, **terms: Any) -> tuple[str, ...]:
    place = Place(campus.terms(groups_base=GROUPS, **terms), READER_PASSWORD)
    person = directories.look_up(HOUSE, place, who)
    assert person
    return person.groups


@pytest.mark.usefixtures("app")
def test_alone_only_the_groups_that_somebody_is_in_count(nested: RealDirectory) -> None:
    assert found(nested, "deep") == found(nested, "deep", nested_groups=ALONE) == (f"cn=class,{GROUPS}",)


@pytest.mark.usefixtures("app")
def test_walked_the_groups_above_count_and_a_ring_ends(nested: RealDirectory) -> None:
    names = tuple(f"cn={name},{GROUPS}" for name in ("class", "year", "school"))
    assert found(nested, "deep", nested_groups=WALKED) == names
    assert found(nested, "deep", nested_groups=WALKED, groups_attribute="memberOf") == names
    assert "cn=year" not in str(found(nested, "alice", nested_groups=WALKED))


@pytest.mark.usefixtures("app")
def test_the_way_up_has_an_end(nested: RealDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_groups, "MOST_LEVELS", 1)
    assert found(nested, "deep", nested_groups=WALKED) == tuple(f"cn={name},{GROUPS}" for name in ("class", "year"))
    monkeypatch.setattr(directory_groups, "MOST_LEVELS", 10)
    monkeypatch.setattr(directory_groups, "MOST_GROUPS", 2)
    assert len(found(nested, "deep", nested_groups=WALKED)) == 2


@pytest.mark.usefixtures("app")
def test_many_groups_are_asked_for_in_parts(nested: RealDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_groups, "AT_ONCE", 1)
    other = group(nested, "choir", f"uid=deep,{directory.PEOPLE}")
    above = group(nested, "music", other)
    try:
        names = set(found(nested, "deep", nested_groups=WALKED))
    finally:
        for dn in (above, other):
            nested.forget(dn)
    assert names == {f"cn={name},{GROUPS}" for name in ("class", "year", "school", "choir", "music")}


@pytest.mark.usefixtures("app")
def test_active_directorys_rule_is_asked_in_one_question(nested: RealDirectory) -> None:
    """OpenLDAP does not know the rule: to it that is a comparison that nothing matches."""
    asked = nested.searches()
    assert found(nested, "deep", nested_groups=IN_CHAIN) == ()
    assert nested.searches() == asked + 2, "the person, and the groups"
    said = str(directory_filters.any_of([("member", "uid=deep")], "", directory_filters.IN_CHAIN))
    assert "(member:1.2.840.113556.1.4.1941:=uid=deep)" in said


@pytest.mark.usefixtures("app")
def test_a_rule_that_the_directory_knows_compares(nested: RealDirectory) -> None:
    """The same question by a rule of OpenLDAP's own: the bytes are as RFC 4511 wants them."""
    with directories._asking(Place(nested.terms(), READER_PASSWORD)) as conversation:
        wanted = directory_filters.any_of([("uid", "DEEP")], "", "caseIgnoreMatch")
        assert [each.text("uid") for each in conversation.search(directory.PEOPLE, wanted, ("uid",), most=2)] == [
            "deep"
        ]


def test_a_group_above_leads_to_the_group_here(client: PageClient, nested: RealDirectory) -> None:
    pupils = group_service.add(HOUSE, Choices(name="Pupils")).group.id
    listed = directory.provide(nested, groups_base=GROUPS, groups=((f"cn=school,{GROUPS}", pupils),))
    login(client, "deep", THERE)
    assert identities.named("deep").group_id != pupils
    directory.change(listed, nested_groups=WALKED)
    login(new_client(client.application), "deep", THERE)
    assert identities.named("deep").group_id == pupils


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"nested_groups": "sideways", "groups_base": GROUPS}, "bad_directory_nested"),
        ({"nested_groups": WALKED}, "directory_nested_base"),
        ({"nested_groups": IN_CHAIN, "groups_attribute": "memberOf"}, "directory_nested_base"),
    ],
)
def test_what_makes_no_sense_is_refused(campus: RealDirectory, terms: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        directories.place(campus.terms(**terms), READER_PASSWORD, None)
    assert refused.value.code == code


@pytest.mark.security("directory-takes-nobody-over")
def test_a_wrong_password_asks_for_no_groups(client: PageClient, nested: RealDirectory) -> None:
    """As many questions as for a name that nobody has: the time tells nothing, and a stranger makes no work."""
    directory.provide(nested, groups_base=GROUPS, nested_groups=WALKED)
    asked = []
    for name in ("nobody-here", "deep"):
        before = nested.searches(), nested.binds()
        login(new_client(client.application), name, "not the password")
        asked.append((nested.searches() - before[0], nested.binds() - before[1]))
    assert asked == [(1, 3), (1, 3)], "the log has one line of a bind that fails, two of one that does not"


def test_the_groups_are_asked_for_by_the_reader_again(client: PageClient, nested: RealDirectory) -> None:
    directory.provide(nested, groups_base=GROUPS, nested_groups=WALKED)
    before = nested.binds()
    assert login(client, "deep", THERE).status_code == 200
    assert nested.binds() - before == 6, "the reader, the person, the reader: two lines of each"
