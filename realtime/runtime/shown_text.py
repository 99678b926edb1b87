"""Texts as a terminal may show them: names, tags and addresses come from others."""

from __future__ import annotations

import re
import unicodedata

_ADDRESS = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{0,20}://\S+")
_HOST = re.compile(r"[^/?#]*")
_VALUE = re.compile(r"=[^&;/?#\s]*")
_BARE_VALUE = re.compile(r"(?<=[?&;#])[^=&;#]+(?=[&;#]|$)")
# Unicode's categories of control characters, of marks such as those that turn the direction of writing,
# of halves of surrogate pairs, and of separators of lines and paragraphs.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # marks that words of some languages need


def printable(text: str) -> str:
    """Return a text in one line without secrets: control characters are escaped, as `\\x1b`.

    Users, passwords and the values of a query are hidden in every address in it.
    """
    text = _ADDRESS.sub(lambda found: hide_secrets(found[0]), text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _UNSEEN and character not in _JOINERS
        else character
        for character in text
    )


def hide_secrets(address: str) -> str:
    """Return an address without user, password and the values of its query; any other text as it is.

    Some cameras take a password in the path, as `/user=admin&password=secret`: values are hidden there too.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    host = _HOST.match(rest)
    assert host is not None
    path = rest[host.end() :]
    if "@" in path:  # it may belong to a password that is not percent-encoded
        return f"{scheme}://***"
    shown = "***@" + host[0].rpartition("@")[2] if "@" in host[0] else host[0]
    return f"{scheme}://{shown}" + _BARE_VALUE.sub("***", _VALUE.sub("=***", path))
