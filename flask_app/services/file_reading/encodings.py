"""In which encoding a text was written that does not say so."""

import codecs
import re
from functools import cache

import charset_normalizer

GUESSED = ("gb18030", "big5", "cp932", "euc_jp", "euc_kr", "cp1252", "cp1251")
# Of two that are as likely the first: most people who write here write Chinese.
_LIKELY = {
    "zh-Hant": ("big5", "gb18030", "cp932", "euc_jp", "euc_kr", "cp1252", "cp1251"),
    "ja": ("cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp1252", "cp1251"),
}
# First bytes of what is frequent in each: the first level of its characters, kana, syllables of Hangul.
_FREQUENT = {
    "gb18030": ((0xB0, 0xD7),),
    "big5": ((0xA4, 0xC6),),
    "cp932": ((0x82, 0x83), (0x88, 0x97)),
    "euc_jp": ((0xA4, 0xA5), (0xB0, 0xCF)),
    "euc_kr": ((0xB0, 0xC8),),
}
_LOW_SECOND_BYTES = {"big5", "cp932"}
_CLOSE = 0.03  # of the library's measure of disorder
_NEAR = 0.15  # of the share of letters that are frequent
_KANA, _KANA_WEIGHS = re.compile(r"[\u3041-\u30fe]"), 1.3  # in no other language
_LOOKED_AT = 1 << 16  # bytes
_WORD = re.compile(r"\w+")


def load() -> None:
    """All that guessing needs: nothing can be opened later on."""
    for encoding in (*GUESSED, "utf-16", "utf-32"):
        codecs.lookup(encoding)
    charset_normalizer.from_bytes("好".encode("gb18030"), cp_isolation=list(GUESSED)).best()


def guess(content: bytes, language: str) -> str | None:
    """The likeliest for a reader of that language; None where it is like no text."""
    some = content
    if len(content) > _LOOKED_AT:
        some = content[:_LOOKED_AT].rpartition(b"\n")[0] or content
    matches = list(charset_normalizer.from_bytes(some, cp_isolation=list(GUESSED)))
    close = {each.encoding: _share(str(each), each.encoding) for each in matches if _is_close(each, matches[0])}
    if not close:
        return None
    most = max(close.values())
    order = _LIKELY.get(language, GUESSED)
    return min((each for each, share in close.items() if share >= most - _NEAR), key=order.index)


def _is_close(each: charset_normalizer.CharsetMatch, first: charset_normalizer.CharsetMatch) -> bool:
    return each.chaos <= first.chaos + _CLOSE


def _share(text: str, encoding: str) -> float:
    """How many of its letters that are not of ASCII are frequent where that is the encoding."""
    letters, frequent = 0, 0.0
    for word in _WORD.findall(text):
        foreign = [each for each in word if each > "\x7f" and each.isalpha()]
        letters += len(foreign)
        if encoding == "cp1252":  # words of which no letter is plain are not written with it, with cp1251 just those
            frequent += len(foreign) if _has_plain(word) else 0
        elif encoding == "cp1251":
            frequent += 0 if _has_plain(word) else len(foreign)
        else:
            frequent += sum(_weight(each, encoding) for each in foreign)
    return frequent / letters if letters else 1.0


def _has_plain(word: str) -> bool:
    return any(each.isascii() and each.isalpha() for each in word)


@cache
def _weight(letter: str, encoding: str) -> float:
    first, *rest = letter.encode(encoding)
    if len(rest) != 1 or (rest[0] < 0xA1 and encoding not in _LOW_SECOND_BYTES):
        return 0
    if not any(least <= first <= most for least, most in _FREQUENT[encoding]):
        return 0
    return _KANA_WEIGHS if _KANA.match(letter) else 1
