"""Which passwords may be chosen, and how they are kept."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from flask_app.errors import Invalid
from flask_app.services.people import guessable, passwords

# The meter on the page gives the same answers: tests/js/password.test.mjs.
CASES = json.loads((Path(__file__).parent.parent / "passwords.json").read_text(encoding="utf-8"))
FIFTEEN = "qx7 grün 木 vlam"


def refusal(password: str, username: str = "somebody") -> str | None:
    try:
        passwords.check_strength(password, username)
    except Invalid as error:
        return error.code
    return None


@pytest.mark.security("password-rules")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["password"])
def test_what_is_guessed_first_is_refused_and_nothing_else(case: dict[str, str | None]) -> None:
    assert refusal(str(case["password"]), str(case["username"])) == case["refusal"]


def test_every_way_to_be_refused_is_tried() -> None:
    codes = {f"password_{end}" for end in ("too_short", "too_long", "repetitive", "common", "like_name")}
    assert {case["refusal"] for case in CASES} == {None, *codes}


@pytest.mark.security("password-rules")
def test_the_limits_count_characters_and_nothing_is_cut_off() -> None:
    longest = ("kP2#vR9!mQ4&xZ7jW5*tB8@nD3^hF6%" * 5)[:128]
    assert refusal(FIFTEEN) is None
    assert len(FIFTEEN) == passwords.MIN_LENGTH
    assert refusal(longest) is None
    assert refusal(longest + "x") == "password_too_long"
    assert not passwords.verify(passwords.make_hash(longest), longest[:-1])


def test_a_password_is_the_same_however_a_keyboard_composes_it() -> None:
    stored = passwords.make_hash("un caf\u00e9 tr\u00e8s serr\u00e9")
    assert passwords.verify(stored, "un cafe\u0301 tre\u0300s serre\u0301")
    assert passwords.verify(passwords.make_hash("ｆｕｌｌ　ｗｉｄｔｈ ６６"), "full width 66")


@pytest.mark.security("argon2id")
def test_hashes_are_argon2id_with_the_recommended_cost() -> None:
    assert passwords.make_hash(FIFTEEN).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_made_with_other_parameters_is_outdated() -> None:
    weak = PasswordHasher(memory_cost=8192, time_cost=1, parallelism=1).hash(FIFTEEN)
    assert passwords.verify(weak, FIFTEEN)
    assert passwords.is_outdated(weak)
    assert not passwords.is_outdated(passwords.make_hash(FIFTEEN))


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$2b$12$abcdefghijklmnopqrstuv"])
def test_nobody_signs_in_without_a_usable_hash(stored: str | None) -> None:
    assert not passwords.verify(stored, FIFTEEN)


def test_nobodys_password_is_hashed_where_everybodys_is() -> None:
    """Not on the thread that serves the others, not even the first time."""
    script = """
import time
from flask_app import offload
from flask_app.services.people import passwords
offload.use(lambda work, args, kwargs: False)  # the work itself is not done
began = time.thread_time()
assert passwords.verify(None, "any password at all") is False
print(time.thread_time() - began)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(said.stdout) < 0.005


def test_checking_the_longest_password_takes_no_time_to_notice() -> None:
    begun = time.thread_time()
    guessable.reason("1a@" * 40 + "12345678", "a" * 64)
    assert time.thread_time() - begun < 1
