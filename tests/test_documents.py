"""Every command, Python example, option, file and link of the documents exists and works.

A complete `unmask` command is run on small files of the names it gives, unless it needs a GPU, a
camera, a window or a cluster. The options and values of every other command are read by the
program's own parser; so are those of commands and options in running text.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import realtime.cli.app
from realtime.demo.clip import CameraPath, DemoClip
from tests.checking_documents import (
    PROGRAMS,
    check_command,
    check_inline,
    find_subcommand,
    input_paths,
    parse,
)
from tests.reading_documents import (
    OTHER_PROGRAMS,
    ROOT,
    Command,
    Document,
    is_shell,
    read_documents,
    shell_commands,
)
from tests.realtime.making_media import write_video
from trainer.presets import PRESETS

# A command with one of these is not run.
NEEDS_MORE = {
    "--for": "TensorRT for RTX",
    "--format plan": "an NVIDIA GPU",
    "--hardware": "an encoder on the graphics chip",
    "--ray": "a cluster",
    "--engine": "a certain engine",
    "rtsp://": "a network camera",
    "unmask feed 0": "a camera",
}
DOCUMENTS = read_documents()
COMMANDS = {
    str(command): command
    for document in DOCUMENTS
    for _, text in document.blocks
    if is_shell(text)
    for command in shell_commands(text)
}
INLINE = {code: f"{document.name}: {code}" for document in DOCUMENTS for code in document.inline}
FOREIGN_OPTIONS = {
    word
    for code in (*INLINE, *COMMANDS)
    if code.split()[0] in OTHER_PROGRAMS
    for word in code.split()
    if word.startswith("--")
}
PYTHON = [
    text for document in DOCUMENTS for language, text in document.blocks if language == "python"
]


@pytest.fixture(scope="module")
def frames_bgr() -> list[NDArray[np.uint8]]:
    """Three frames of a face that wears a mask, uint8 [192, 192, 3]."""
    return list(DemoClip(path=CameraPath(side=192, seconds=0.12, zoom=(0.8, 0.9))).masked_bgr())


@pytest.mark.parametrize("command", COMMANDS.values(), ids=str)
def test_command_of_a_document_exists(command: Command) -> None:
    check_command(command)


def test_training_of_a_campaign_script_is_understood() -> None:
    texts = [path.read_text() for path in (ROOT / "benchmarks" / "campaign").glob("*.sh")]
    scripts = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", "".join(texts))  # ${BATCH:-128} is 128
    trainings = re.findall(r"^fit (\S+) \S+ (.*)", scripts, re.MULTILINE)
    assert len(trainings) == 5
    for name, options in trainings:
        words = ["fit", "--data", "x.npz", "--run", name, *shlex.split(options)]
        assert parse(*find_subcommand(PROGRAMS["trainer"], words))["preset"] in PRESETS


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS.values() if c.is_runnable and c.words[0] == "unmask"], ids=str
)
def test_unmask_command_of_a_document_works(
    command: Command,
    frames_bgr: list[NDArray[np.uint8]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if lacking := [what for words, what in NEEDS_MORE.items() if words in str(command)]:
        pytest.skip(f"needs {lacking[0]}")
    if "live" in command.words[1:2] and "--list" not in command.words:
        pytest.skip("needs a camera and a window")
    monkeypatch.chdir(tmp_path)
    for path in input_paths(command):
        make_input(path, frames_bgr)
    assert realtime.cli.app.run(list(command.words[1:])) == 0


@pytest.mark.parametrize("text", PYTHON)
def test_python_of_a_document_runs(
    text: str,
    frames_bgr: list[NDArray[np.uint8]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r'"([\w.]+\.mp4)"', text):
        make_input(name, frames_bgr)
    exec(compile(text, "document", "exec"), {"frame": frames_bgr[0], "frames": frames_bgr})


@pytest.mark.parametrize("code", INLINE, ids=INLINE.get)
def test_code_in_text_exists(code: str) -> None:
    check_inline(code, FOREIGN_OPTIONS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_resolve(document: Document) -> None:
    anchors = {other.name: other.anchors for other in DOCUMENTS}
    for link in document.links:
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / document.name).parent / path if path else ROOT / document.name
        assert target.exists(), f"{document.name} links to {link}"
        if anchor:
            name = target.resolve().relative_to(ROOT).as_posix()
            assert anchor in anchors[name], f"{document.name} links to {link}"


@pytest.mark.parametrize(
    "line",
    [
        "unmask vidoe in.mp4 out.mp4",
        "unmask video in.mp4",
        "unmask video in.mp4 out.mp4 --sidebyside",
        "unmask video in.mp4 out.mp4 --codec mpeg2",
        "unmask video IN OUT [--sidebyside]",
        "unmask video IN OUT [--codec auto|mpeg2]",
        "unmask engine built",
        "python -m trainer fit --preset fast --data d.npz --run r --sclae 2",
        "python -m trainer fit ... --sclae 2",
        "python -m benchmrks all",
        "make bnech",
        "unmsk doctor",
    ],
)
def test_check_of_wrong_command_fails(line: str) -> None:
    with pytest.raises(Exception):  # noqa: B017 - an assertion, or the parser's own error
        for command in shell_commands(line):
            check_command(command)


@pytest.mark.parametrize(
    "code",
    [
        "--sidebyside",
        "unmask vidoe",
        "realtime/nothing.py",
        "nothing.py",
        "realtime.frames.Nothing",
        "Unmasker(nothing=1)",
    ],
)
def test_check_of_wrong_inline_code_fails(code: str) -> None:
    with pytest.raises((AssertionError, AttributeError, TypeError)):
        check_inline(code)


def make_input(name: str, frames_bgr: list[NDArray[np.uint8]]) -> None:
    """Make a picture, a clip, or a folder with a picture; a pattern gets a file that fits it."""
    path = Path(name.replace("*", "one"))
    if not path.suffix:
        path /= "one.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".jpg", ".png", ".webp"):
        cv2.imwrite(str(path), frames_bgr[0])
    else:
        write_video(path, frames_bgr)
