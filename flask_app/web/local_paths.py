"""Where to go after signing in: only to a page of this site."""

import re
from urllib.parse import quote

# Browsers read "//host" and "/\host" as another site, and drop tabs and line ends before they look. "/.//host" becomes
# "//host" where a path is put in order, so no path may have two slashes in a row; what follows "?" or "#" may.
_LOCAL = re.compile(r"/(?![/\\])((?!//)[^\\\x00-\x20\x7f?#])*([?#][^\\\x00-\x20\x7f]*)?")


def local_path(wanted: str) -> str:
    """`wanted` where it is a path on this site, else "/"."""
    return wanted if _LOCAL.fullmatch(wanted) else "/"


def sign_in_path(wanted: str) -> str:
    """The sign-in page, from which the person goes on to `wanted`."""
    following = local_path(wanted)
    return f"/login?next={quote(following, safe='/')}" if following != "/" else "/login"
