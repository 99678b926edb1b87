"""Reads Markdown: blocks of code, code in running text, links, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
_HISTORY = "CHANGELOG.md"  # tells of commands and files that are gone
OUR_PROGRAMS = ("unmask", "python", "make")
OTHER_PROGRAMS = ("cat", "cd", "docker", "git", "npm", "pip", "source", "tar", "tritonserver")


@dataclass(frozen=True)
class Document:
    """What of a Markdown file can be checked.

    Attributes:
        name: relative to the repository's root.
        blocks: language (may be empty) and text of each fenced block of code.
        inline: code in running text and in tables.
        links: targets of links and pictures.
        anchors: what links to its headings are called.
    """

    name: str
    blocks: list[tuple[str, str]]
    inline: list[str]
    links: list[str]
    anchors: set[str]


def read_documents() -> list[Document]:
    """Read the documents at the repository's root and in docs/."""
    paths = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    return [read_document(path) for path in sorted(paths) if path.name != _HISTORY]


def read_tables(path: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the first heading cell and the rows of each table of a Markdown file."""
    cells: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8")):
        if token.type == "table_open":
            cells = []
        elif token.type == "tr_open":
            cells.append([])
        elif token.type == "inline" and token.level > 3:
            cells[-1].append(token.content)
        elif token.type == "table_close":
            yield cells[0][0], cells[1:]


def read_document(path: Path) -> Document:
    """Parse a Markdown file."""
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    inner = [child for token in tokens for child in token.children or []]
    headings = [tokens[i + 1] for i, token in enumerate(tokens) if token.type == "heading_open"]
    return Document(
        name=path.relative_to(ROOT).as_posix(),
        blocks=[(token.info.strip(), token.content) for token in tokens if token.type == "fence"],
        inline=[" ".join(token.content.split()) for token in inner if token.type == "code_inline"],
        links=[
            str(token.attrs[key])
            for token in inner
            for key in ("href", "src")
            if key in token.attrs
        ],
        anchors={_anchor(heading) for heading in headings},
    )


def _anchor(heading: Token) -> str:
    """Return the name GitHub gives a heading."""
    text = "".join(child.content for child in heading.children or []).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


@dataclass(frozen=True)
class Command:
    """A command of a document.

    Attributes:
        words: the program and its arguments, as a shell would give them.
        is_complete: it lacks no argument.
        is_runnable: it is complete, and no summary of all options with placeholders.
    """

    words: tuple[str, ...]
    is_complete: bool = True
    is_runnable: bool = True

    def __str__(self) -> str:
        return shlex.join(self.words)


def is_shell(text: str) -> bool:
    """Say whether a block holds commands of ours, rather than output or another language."""
    return any(line.split()[:1] and line.split()[0] in OUR_PROGRAMS for line in text.splitlines())


def shell_commands(text: str) -> list[Command]:
    r"""Split a block into commands.

    Understood are comments, `\` at the end of a line, indented lines that go on, `&&`, and
    variables (`fit="python ..."`, then `$fit ...`). Variants of a summary, `--codec auto|h264`,
    become commands of their own.
    """
    joined = re.sub(r"\\?\n[ \t]+", " ", text)
    variables: dict[str, str] = {}
    commands = []
    for line in joined.splitlines():
        if assigned := re.fullmatch(r'(\w+)="(.*)"', line.strip()):
            variables[assigned[1]] = assigned[2]
            continue
        line = re.sub(r"\$(\w+)", lambda found: variables[found[1]], line)
        for words in _split(shlex.split(line, comments=True), "&&"):
            commands += command_variants(words)
    return commands


def command_variants(words: list[str]) -> list[Command]:
    """Make commands of words: several of a summary with `[...]` and `a|b`, where `N` is a number."""
    is_summary = any(word.startswith("[") for word in words)
    if not is_summary:
        is_complete = "..." not in words
        words = [word for word in words if word != "..."]
        return [Command(tuple(words), is_complete, is_complete)]
    choices = [word.strip("[]").split("|") for word in words]
    choices = [["1"] if choice == ["N"] else choice for choice in choices]
    return [Command(variant, is_runnable=False) for variant in product(*choices)]


def _split(words: list[str], separator: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == separator:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]
