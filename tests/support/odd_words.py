"""Words that somebody may send where an id, a name or a number is awaited, by what is odd about them."""

ODD_WORDS = {
    "long": "x" * 5_000,
    "a megabyte": "x" * 1_000_000,
    "other letters": "会话-é",
    "letters that sort alike": "Ａ" * 26,
    "a face": "🙂" * 26,
    "NUL": "a\x00b",
    "only NUL": "\x00",
    "a line end": "a\r\nSet-Cookie: x=1",
    "SQL": "' OR '1'='1",
    "a pattern": "%_%",
    "upwards": "../../../etc/passwd",
    "a template": "{0.__class__}{{7*7}}%s%(x)s",
    "digits": "000000001" * 600,
    "no Unicode": "\udcff",
}
