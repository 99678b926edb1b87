"""Reads and checks the address of a receiver: `--out`."""

from __future__ import annotations

import importlib.util
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from inpaint_model.errors import UserError
from realtime.runtime.shown_text import hide_secrets

STANDARD_OUTPUT = "-"
TOKEN_VARIABLE = "UNMASK_FEED_TOKEN"
_DEFAULT_PORTS = {"http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}
_SCHEMES = ("unix", "tcp", *_DEFAULT_PORTS)
_DEFAULT_TOPIC = "unmask"
_MOST_UNIX_PATH_BYTES = 103  # macOS; Linux takes 107


@dataclass(frozen=True)
class Address:
    """Where a network receiver is.

    Attributes:
        scheme: unix, tcp, http, https, mqtt or mqtts.
        name: the address for the user, without passwords and the values of its query.
        host: name or number of the machine; empty for unix.
        port: TCP port; 0 for unix.
        user: user name, or None.
        password: password, or None.
        path: unix: of the socket; http: path and query; mqtt: topic.
        token: http: the bearer token of UNMASK_FEED_TOKEN, or None.
    """

    scheme: str
    name: str
    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    path: str
    token: str | None = field(repr=False)

    @property
    def identity(self) -> str:
        """The same for the same receiver; holds no password."""
        return "\0".join((self.scheme, self.user or "", self.host, str(self.port), self.path))


def is_network(out: str) -> bool:
    """Say whether `out` is an address rather than a file or standard output."""
    return "://" in out


def read_address(out: str) -> Address:
    """Read the address of a network receiver.

    Raises:
        UserError: it cannot work; the message says why, without the password.
    """
    name = hide_secrets(out)
    try:
        parts = urlsplit(out)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise UserError(
            f"{out.partition('://')[0]}://...: is not an address; the port is a number, and special "
            "characters in a password are percent-encoded"
        ) from None
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        known = ", ".join(f"{known}://" for known in _SCHEMES)
        raise UserError(f"{name}: the feed goes to {known}a file, or - for standard output")
    user, password = (None if part is None else unquote(part) for part in _credentials(parts))
    if user is not None and scheme in ("unix", "tcp"):
        raise UserError(f"{name}: {scheme}:// takes no user and password")
    if scheme == "unix":
        return Address(scheme, name, "", 0, None, None, _unix_path(name, parts), None)
    if not host:
        raise UserError(f"{name}: the host is missing")
    port = port or _DEFAULT_PORTS.get(scheme, 0)
    if not port:
        raise UserError(f"{name}: the port is missing; tcp://HOST:PORT")
    path = _path(name, scheme, parts)
    token = _token() if scheme in ("http", "https") else None
    if token is not None and user is not None:
        raise UserError(
            f"{name}: has a user, and {TOKEN_VARIABLE} is set; only one of both is sent"
        )
    return Address(scheme, name, host, port, user, password, path, token)


def _credentials(parts: SplitResult) -> tuple[str | None, str | None]:
    if parts.username or parts.password:
        return parts.username, parts.password
    return None, None


def _unix_path(name: str, parts: SplitResult) -> str:
    path = unquote(parts.path)
    if not hasattr(socket, "AF_UNIX"):
        raise UserError(f"{name}: this system has no Unix sockets; tcp://HOST:PORT works")
    if parts.netloc or len(path) < 2:
        raise UserError(f"{name}: is written unix:///PATH, with three slashes")
    if len(os.fsencode(path)) > _MOST_UNIX_PATH_BYTES:
        raise UserError(f"{name}: the path is longer than {_MOST_UNIX_PATH_BYTES} bytes")
    if Path(path).exists() and not Path(path).is_socket():
        raise UserError(f"{name}: is not a socket")
    return path


def _path(name: str, scheme: str, parts: SplitResult) -> str:
    if scheme == "tcp":
        if parts.path.strip("/") or parts.query:
            raise UserError(f"{name}: tcp://HOST:PORT takes no path")
        return ""
    if scheme in ("http", "https"):
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not path.isascii() or not path.isprintable() or " " in path:
            raise UserError(f"{name}: special characters in the path are percent-encoded")
        return path
    if importlib.util.find_spec("paho") is None:
        raise UserError(f"{name}: needs paho-mqtt: pip install 'unmask-video[feed]'")
    topic = unquote(parts.path).strip("/") or _DEFAULT_TOPIC
    if any(character in topic for character in "+#\0"):
        raise UserError(f"{name}: a topic has no +, # and no null character")
    return topic


def _token() -> str | None:
    token = os.environ.get(TOKEN_VARIABLE) or None
    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        raise UserError(
            f"{TOKEN_VARIABLE}: a token has no spaces, line breaks or special characters"
        )
    return token
