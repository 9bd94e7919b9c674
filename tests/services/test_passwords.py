"""Which passwords may be chosen, and how they are kept."""

import time

import pytest
from argon2 import PasswordHasher

from flask_app.errors import Invalid
from flask_app.services import guessable, passwords

FIFTEEN = "qx7 grün 木 vlam"


def refusal(password: str, username: str = "somebody") -> str | None:
    try:
        passwords.check_strength(password, username)
    except Invalid as error:
        return error.code
    return None


@pytest.mark.parametrize(
    "password",
    [
        "violet harbour lantern",
        "two sparrows under one umbrella",
        "床头一盏旧台灯照着三只猫在打瞌睡",
        "kP2#vR9!mQ4&xZ7",
        FIFTEEN,
        "x" * 5 + "Tf8&bnW3^qLz0@Gh" * 6,
    ],
)
def test_long_and_unexpected_passwords_are_accepted(password: str) -> None:
    assert refusal(password) is None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_too_short"),
        ("x7!q" * 3 + "ab", "password_too_short"),
        ("🙂" * 14, "password_too_short"),
        ("kP2#vR9!mQ4&xZ7" * 9, "password_too_long"),
        ("passwordpassword", "password_repetitive"),
        ("abc123abc123abc1", "password_repetitive"),
        ("我爱你我爱你我爱你我爱你我爱你", "password_repetitive"),
        ("aaaaaaaaaaaaaaaaaaaa", "password_repetitive"),
        ("abababbbaabbabab", "password_repetitive"),
        ("abcdefghijklmnop", "password_repetitive"),
        ("123456789012345", "password_repetitive"),
        ("987654321qwertyuiop", "password_repetitive"),
        ("1qaz2wsx3edc4rfv", "password_repetitive"),
        ("1q2w3e4r5t6y7u8i9o", "password_repetitive"),
        ("QWERTYUIOPasdfghjkl", "password_repetitive"),
        ("password12345678", "password_common"),
        ("P4$$w0rd!!!!!!!!!", "password_common"),
        ("iloveyou michael 1", "password_common"),
        ("Correct Horse Battery Staple", "password_common"),
        ("manchester united", "password_common"),
        ("wodemimashimima", "password_common"),
        ("mingchat-mingchat1", "password_common"),
        ("football19900101", "password_common"),
        ("somebodysomebody1", "password_like_name"),
        ("somebody 20261125", "password_like_name"),
        ("password ydobemos", "password_like_name"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, code: str) -> None:
    assert refusal(password) == code


def test_the_limits_count_characters_and_nothing_is_cut_off() -> None:
    longest = ("kP2#vR9!mQ4&xZ7jW5*tB8@nD3^hF6%" * 5)[:128]
    assert refusal(FIFTEEN) is None
    assert len(FIFTEEN) == passwords.MIN_LENGTH
    assert refusal(longest) is None
    assert refusal(longest + "x") == "password_too_long"
    assert not passwords.verify(passwords.make_hash(longest), longest[:-1])


def test_ligatures_that_unfold_do_not_lengthen_a_short_password() -> None:
    assert refusal("ﷺ") == "password_too_short"  # one character that NFKC makes eighteen
    assert refusal("ﷺ" * 30) == "password_too_long"


def test_a_password_is_the_same_however_a_keyboard_composes_it() -> None:
    stored = passwords.make_hash("un caf\u00e9 tr\u00e8s serr\u00e9")
    assert passwords.verify(stored, "un cafe\u0301 tre\u0300s serre\u0301")
    assert passwords.verify(passwords.make_hash("ｆｕｌｌ　ｗｉｄｔｈ ６６"), "full width 66")


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


def test_checking_the_longest_password_takes_no_time_to_notice() -> None:
    begun = time.perf_counter()
    guessable.reason("1a@" * 40 + "12345678", "a" * 64)
    assert time.perf_counter() - begun < 1
