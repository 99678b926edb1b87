"""How unmask-video is installed: what mends it, and whether another package has taken its place.

The package index has packages of other owners that are imported as `realtime` and `trainer` too. pip
installs them into the same folder, or one hides the other, and `pip check` sees nothing wrong.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

DISTRIBUTION = "unmask-video"
PACKAGES = ("realtime", "inpaint_model", "trainer")
_MARK = DISTRIBUTION.encode()  # stands in the `__init__.py` of each package of ours


@dataclass(frozen=True)
class Rival:
    """Another distribution's package of the name of one of ours.

    Attributes:
        package: the name by which both are imported.
        owners: the other distributions that install it.
        found: where Python finds the package of this name.
        imported: whether Python imports the other one, so that ours does not work.
    """

    package: str
    owners: tuple[str, ...]
    found: str
    imported: bool

    def __str__(self) -> str:
        owners = " and ".join(self.owners) or "another project"
        if self.imported:
            return (
                f"the package `{self.package}` at {self.found} is not ours: {owners} put it there"
            )
        return f"{owners} also installed `{self.package}`; ours took its place at {self.found}"

    @property
    def mends(self) -> tuple[str, ...]:
        """The commands after which ours is the only one."""
        removal = [f"pip uninstall -y {' '.join(self.owners)}"] if self.owners else []
        return (*removal, reinstall_command("--no-deps"))


def main() -> None:
    """Entry point of `unmask`: run it, or say that another package has taken the place of `realtime`."""
    rival = find_rival("realtime", look_for_hidden=False)
    if rival is None:
        importlib.import_module("realtime.cli.app").main()
        return
    print(
        f"unmask: error: {rival}. Install unmask-video into an environment of its own, or run:",
        *map(for_this_python, rival.mends),
        sep="\n  ",
        file=sys.stderr,
    )
    sys.exit(1)


def find_rival(package: str, *, look_for_hidden: bool = True) -> Rival | None:
    """Find another distribution's package of the name of one of ours; nothing of it is imported.

    Args:
        package: the name by which it is imported.
        look_for_hidden: also look for one that ours hides, which reads what every distribution installed.
    """
    spec = importlib.util.find_spec(package)
    origin = Path(spec.origin) if spec and spec.origin else None
    ours = origin is not None and _MARK in origin.read_bytes()
    if ours and not look_for_hidden:
        return None
    owners = importlib.metadata.packages_distributions().get(package, [])
    others = tuple(sorted({name for name in owners if name != DISTRIBUTION}))
    if ours and not others:
        return None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return Rival(package, others, str(origin or " ".join(folders) or "nowhere"), not ours)


def reinstall_command(*options: str) -> str:
    """Return the command that installs unmask-video again, from where it came."""
    return _join(["pip", "install", "--force-reinstall", *options, *_source()])


def requirement(distribution: str) -> str:
    """Return a dependency with its range of versions, quoted for any shell, such as `"av>=18,<19"`."""
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or ()
    except importlib.metadata.PackageNotFoundError:
        lines = ()
    named = re.compile(rf"{re.escape(distribution)}(?![\w.-])[^;]*")
    found = next((match[0].strip() for line in lines if (match := named.match(line))), distribution)
    return f'"{found}"'


def for_this_python(text: str) -> str:
    """Let each `pip install` and `pip uninstall` of a text work on this Python, from any folder."""
    python = _join([sys.executable])

    def replacement(found: re.Match[str]) -> str:
        if importlib.util.find_spec("pip") is None:  # as in an environment that uv made
            return f"uv pip {found[1]} --python {python}"
        return f"{python} -m {found[0]}"

    return re.sub(r"\bpip (install|uninstall)(?: -y)?", replacement, text)


def _join(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _source() -> list[str]:
    """Return what `pip install` takes: the folder or file that this came from, if it is known (PEP 610)."""
    try:
        text = importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        text = None
    if text is None:
        return [DISTRIBUTION]
    origin = json.loads(text)
    url = urlparse(origin["url"])
    if url.scheme != "file":
        return [origin["url"]]
    path = url2pathname(url.path)
    return ["--editable", path] if origin.get("dir_info", {}).get("editable") else [path]
