"""Texts are read in the encoding that they were written in, however short, and with what is bad in them."""

import pytest

from tests.support.file_reading import read, text_of

pytestmark = pytest.mark.usefixtures("in_an_instance")


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("Grüße, 你好\r\n", "utf-8"),
        ("with its mark", "utf-8-sig"),
        ("with its mark 你好", "utf-16"),
        ("with its mark 你好", "utf-32"),
        ("你好，世界。今天天气很好，我们一起去公园散步吧。", "gb18030"),
        ("今天天氣很好，我們一起去公園散步吧，好不好？", "big5"),
        ("これは日本語のテキストです。今日は天気がいいですね。", "cp932"),
    ],
)
def test_a_text_is_read_in_its_encoding(words: str, encoding: str) -> None:
    assert text_of(words.encode(encoding)) == words.replace("\r\n", "\n")


TABLE = "产品名称\t价格\n苹果\t5\n香蕉\t3"


@pytest.mark.parametrize(
    ("words", "encoding", "languages"),
    [
        (TABLE, "gb18030", ("zh", "zh-Hant", "ja", "en")),
        ("你好，世界\n", "gb18030", ("zh", "zh-Hant", "ja", "en")),
        ("姓名,年龄\n张三,20\n李四,30\n", "gb18030", ("zh", "zh-Hant", "ja", "en")),
        ("测试", "gb18030", ("zh", "zh-Hant", "en")),
        *((each, "gb18030", ("zh",)) for each in ("委员会", "罪犯", "这部", "祥澈\n", "博委员")),
        ("你好，世界\n", "big5", ("zh", "zh-Hant", "ja", "en")),
        ("產品名稱\t價格\n蘋果\t5\n香蕉\t3", "big5", ("zh", "zh-Hant", "ja", "en")),
        ("こんにちは、世界\n", "cp932", ("zh", "zh-Hant", "ja", "en")),
        ("商品名\t価格\nりんご\t5\nバナナ\t3", "cp932", ("zh", "zh-Hant", "ja", "en")),
        ("東京都", "cp932", ("zh", "ja", "en")),
        ("こんにちは、世界\n", "euc_jp", ("zh", "ja", "en")),
        ("完了", "euc_jp", ("ja",)),
        ("안녕하세요, 세계\n", "euc_kr", ("zh", "zh-Hant", "ja", "en")),
        ("상품명\t가격\n사과\t5\n바나나\t3", "euc_kr", ("zh", "zh-Hant", "ja", "en")),
        ("Café, naïve\n", "cp1252", ("zh", "en")),
        ("name;price\nÄpfel;5 €\n", "cp1252", ("zh", "en")),
        ("Привет, мир\n", "cp1251", ("zh", "en")),
        ("Название\tЦена\nЯблоко\t5", "cp1251", ("zh", "en")),
    ],
)
def test_a_short_text_is_read_as_its_reader_means_it(words: str, encoding: str, languages: tuple[str, ...]) -> None:
    for language in languages:
        assert read(words.encode(encoding), language).text == words, language


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (TABLE.encode()[1:], "\ufffd\ufffd" + TABLE[1:]),
        ("你好，世界".encode()[:-1], "你好，世\ufffd"),
        ("你好，世界".encode()[:-2], "你好，世\ufffd"),
        ("你好，世界😀".encode()[:-1], "你好，世界\ufffd"),
        ((TABLE * 3 + "\n").encode() + b"\xff" + TABLE.encode(), TABLE * 3 + "\n\ufffd" + TABLE),
        (b"\xef\xbb\xbf" + "你好，世界".encode()[:-1], "你好，世\ufffd"),
    ],
)
def test_a_text_of_which_a_byte_is_bad_or_cut_off_is_read(content: bytes, text: str) -> None:
    assert text_of(content) == text
