"""How unmask-video is installed: what mends it, and whether another package has taken its place.

The package index has packages of other owners that are imported as `realtime` and `trainer` too. pip
installs them into the same folder, or one hides the other, and `pip check` sees nothing wrong.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import urlparse
from urllib.request import url2pathname

from inpaint_model.launcher import DISTRIBUTION, is_ours

PACKAGES = ("realtime", "inpaint_model", "trainer")


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


def find_rival(package: str) -> Rival | None:
    """Find another distribution's package of the name of one of ours; nothing of it is imported."""
    owners = importlib.metadata.packages_distributions().get(package, [])
    others = tuple(sorted({name for name in owners if name != DISTRIBUTION}))
    imported = not is_ours(package)
    if not imported and not others:
        return None
    spec = importlib.util.find_spec(package)
    found = (spec.origin or " ".join(spec.submodule_search_locations or ())) if spec else ""
    return Rival(package, others, found or "nowhere", imported)


def explain_rival(package: str) -> str:
    """Return an error message: which package has the place of ours, and what mends that."""
    rival = find_rival(package)
    advice = "Install unmask-video into an environment of its own, or run:"
    mends = map(for_this_python, rival.mends if rival else ())
    return "\n  ".join([f"unmask: error: {rival}. {advice}", *mends])


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
