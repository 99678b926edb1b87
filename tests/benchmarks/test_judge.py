"""`sheet --judge`: faces drawn by lot, the page over HTTP, judgements that last, and their figures."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.judging import figures, judge
from benchmarks.judging.cases import Case
from benchmarks.judging.judge import JudgeOptions
from benchmarks.judging.records import FIGURES, PICTURES, Judgement, JudgementFile
from benchmarks.judging.server import JudgeServer
from benchmarks.judging.session import Answers, Session
from inpaint_model.errors import UserError
from realtime.frames import Face
from realtime.media.clip import write_clip
from realtime.synthetic import preset_style, render_mask

_NETWORKS = {"generator": "0123456789abcdef", "segmenter": "5"}


@pytest.fixture(scope="module")
def masked_bgr(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb
    return np.ascontiguousarray(worn[::2, ::2, ::-1])


@pytest.fixture(scope="module")
def collections(
    tmp_path_factory: pytest.TempPathFactory, masked_bgr: NDArray[np.uint8]
) -> tuple[Path, Path]:
    """A folder of photographs, one of them without a filled face, and one with a clip."""
    folder = tmp_path_factory.mktemp("judged")
    photos, videos = folder / "masked" / "new", folder / "videos"
    photos.mkdir(parents=True)
    videos.mkdir()
    cv2.imwrite(str(photos / "empty.png"), masked_bgr * 0)
    for name, gain in (("a.png", 0.8), ("b.png", 1.0)):
        cv2.imwrite(str(photos / name), cv2.convertScaleAbs(masked_bgr, alpha=gain))
    write_clip(videos / "clip.mp4", [masked_bgr] * 4, 25)
    return photos, videos


class Page:
    """Sends what the page sends.

    Args:
        address: of the page.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str = "", **headers: str) -> bytes:
        asked = urllib.request.Request(self.address + path, headers=headers)
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return reply.read()

    def post(self, path: str, **values: object) -> dict[str, Any]:
        body = json.dumps(values).encode()
        with urllib.request.urlopen(self.address + path, body, timeout=20) as reply:
            return json.load(reply)

    def state(self) -> dict[str, Any]:
        return json.loads(self.get("state"))

    def answer(self, *answers: str) -> dict[str, Any]:
        state = self.state()
        return self.post(
            "answer", number=state["number"], question=state["question"], answers=answers
        )


def _judge(
    options: JudgeOptions, visit: Callable[[Page], object], capsys: pytest.CaptureFixture[str]
) -> list[Any]:
    """Run the command while a client visits its page; the client ends it."""
    rows: list[Any] = []
    thread = Thread(target=lambda: rows.extend(judge.run(options)))
    thread.start()
    printed = ""
    while thread.is_alive() and "judge at" not in printed:
        printed += capsys.readouterr().out
        thread.join(0.05)
    (address,) = re.findall(r"judge at (\S+)", printed)
    page = Page(address)
    try:
        visit(page)
    finally:
        page.post("quit")
        thread.join(20)
    return rows


def _picture(page: Page) -> NDArray[np.uint8]:
    data = page.get(page.state()["picture"])
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_judge_walks_through_faces_and_goes_on_later(
    collections: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(judge, "find_display", lambda: None)
    photos, videos = collections
    kept = tmp_path / "kept" / "judgements.jsonl"
    options = JudgeOptions([photos], [videos], ["fast"], kept, "me", 3, out=tmp_path / "out")

    def first_sitting(page: Page) -> None:
        assert b"<title>Judge</title>" in page.get()
        assert (page.state()["shown"], page.state()["total"]) == (1, 3)
        glance = _picture(page)
        assert page.answer("line")["question"] == "glance"  # no answer to this question
        assert page.answer("right")["question"] == "full"
        assert _picture(page).shape != glance.shape
        assert page.answer("clean", "line")["number"] == 0  # contradict each other
        assert page.answer("clean")["number"] == 1
        assert len(JudgementFile(kept).judgements()) == 1
        assert page.post("undo")["question"] == "full"
        assert not JudgementFile(kept).judgements()
        assert page.answer("line", "halo")["question"] == "glance"
        page.answer("wrong")

    rows = _judge(options, first_sitting, capsys)
    (judged,) = JudgementFile(kept).judgements()
    assert judged.answers == {"glance": ("right",), "full": ("line", "halo")}
    assert judged.judge == "me" and set(judged.networks) >= {"generator", "segmenter"}
    assert [row["share"] for row in rows] == [1.0, 0.0]

    def second_sitting(page: Page) -> None:
        assert (page.state()["shown"], page.state()["total"]) == (2, 3)
        for _ in range(2):
            page.answer("right")
            page.answer("clean")
        assert page.state()["done"]

    rows = _judge(options, second_sitting, capsys)
    of_all = {row["figure"]: row for row in rows if row["collection"] == figures.ALL}
    assert of_all["clean at full size"]["faces"] == 3
    assert of_all["clean at full size"]["share"] == pytest.approx(2 / 3)
    places = {(one.collection, one.file, one.frame) for one in JudgementFile(kept).judgements()}
    assert len(places) == 3
    assert {file for name, file, _ in places if name == "masked/new"} == {"a.png", "b.png"}
    assert JudgementFile(kept).looks()[PICTURES] == {"masked/new": 2, rows[0]["collection"]: 2}
    assert json.loads((tmp_path / "out" / "judged.json").read_text())["rows"] == rows
    assert judge.run(replace(options, photos=[], videos=[])) != rows  # the looks at figures
    assert JudgementFile(kept).looks()[FIGURES]["masked/new"] == 1


def test_judge_compares_with_a_step_left_out(
    collections: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    kept = tmp_path / "judgements.jsonl"
    models = ["fast", "fast"]
    options = JudgeOptions(
        collections[:1], [], models, kept, count=1, out=tmp_path, without="colour match"
    )
    shown: list[NDArray[np.uint8]] = []

    def visit(page: Page) -> None:
        assert page.state()["question"] == "choice"
        shown.append(_picture(page))
        page.answer("equal")

    (row,) = _judge(options, visit, capsys)
    assert row["equal"] == 1
    # The results are not the same picture twice.
    width = shown[0].shape[1]
    left, right = shown[0][:, : width // 2 - 6], shown[0][:, -(width // 2 - 6) :]
    assert 0.1 < np.abs(left.astype(int) - right).mean() < 10
    (said,) = JudgementFile(kept).judgements()
    assert said.against == {**said.networks, "without": "colour match"}


def test_judge_of_no_filled_face_raises(tmp_path: Path, masked_bgr: NDArray[np.uint8]):
    cv2.imwrite(str(tmp_path / "empty.png"), masked_bgr * 0)
    with pytest.raises(UserError, match="no face was filled"):
        judge.run(JudgeOptions([tmp_path], [], ["fast"], tmp_path / "judgements.jsonl"))


@pytest.fixture
def kept() -> list[Answers]:
    """What is kept of a session."""
    return []


@pytest.fixture
def session(kept: list[Answers]) -> Session:
    """Two faces with results of two models: the first one's are dark, the second one's light."""
    shades = (np.full((40, 40, 3), level, np.uint8) for level in (0, 50, 200))
    before, dark, light = shades
    cases = [Case("web", f"{n}.png", 0, (5, 5, 35, 35), before, (dark, light)) for n in range(20)]
    return Session(cases, lambda _, said: kept.append(said), lambda *_: None)


@pytest.fixture
def page(session: Session):
    with JudgeServer(session) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Page(server.address)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("change", "headers"),
    [
        (lambda address: re.sub(r"/[^/]+/$", "/wrong/", address), {}),
        (lambda address: re.sub(r"/[^/]+/$", "/", address), {}),
        (lambda address: address, {"Host": "rebound.example"}),
        (lambda address: address, {"Host": "127.0.0.1"}),
    ],
)
def test_server_wrong_secret_or_host_is_forbidden(page: Page, change, headers: dict[str, str]):
    for path in ("", "state", "picture/0/choice"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            Page(change(page.address)).get(path, **headers)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        Page(page.address.replace(page.address.split("/")[3], "wrong")).post("undo")


def test_server_bad_requests_are_refused(page: Page):
    for path in ("picture/99/choice", "picture/0/glance", "picture/-1/choice", "other"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            page.get(path)
    for values in ({}, {"number": "x", "question": "choice", "answers": []}, {"a": "b" * 5000}):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            page.post("answer", **values)
    assert page.state()["number"] == 0


def test_server_takes_requests_on_one_connection(page: Page):
    _, _, host, secret, _ = page.address.split("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    for method, path in (("POST", "undo"), ("POST", "undo"), ("GET", "state")):
        connection.request(method, f"/{secret}/{path}", b"{}" if method == "POST" else None)
        reply = connection.getresponse()
        assert reply.status == 200 and json.load(reply)["number"] == 0
    connection.close()


def test_choice_is_blind_and_kept_by_model(page: Page, kept: list[Answers]):
    lighter = []
    while not (state := page.state())["done"]:
        assert not {"fast", "paper", "first", "second"} & set(json.dumps(state).split('"'))
        picture = _picture(page)
        lighter.append("right" if picture[5, -5, 0] > 100 else "left")
        page.answer(lighter[-1])
    assert kept == [{"choice": ("second",)}] * 20
    assert set(lighter) == {"left", "right"}


def _judgements(day: int, judge: str, answers: list[tuple[str, str]]) -> list[Judgement]:
    return [
        Judgement(
            "web",
            f"{number}.png",
            0,
            (0, 0, 9, 9),
            "d",
            _NETWORKS,
            None,
            judge,
            f"2026-11-{day:02}T10:00:00+00:00",
            {"glance": (glance,), "full": tuple(full.split())},
        )
        for number, (glance, full) in enumerate(answers)
    ]


def test_figures_of_a_known_file_take_the_lower_pass(tmp_path: Path):
    file = JudgementFile(tmp_path / "judgements.jsonl")
    first = [("right", "clean")] * 3 + [("wrong", "line halo")]
    second = [("right", "clean")] * 2 + [("right", "halo")] + [("wrong", "clean")]
    unfinished = [("wrong", "other")]
    for one in _judgements(1, "", first) + _judgements(2, "", second):
        file.add(one)
    for one in _judgements(3, "", unfinished):
        file.add(one)
    file.add_looks(PICTURES, file.judgements())
    glance, full = figures.shares(file.judgements(), file.looks())
    assert (glance["faces"], glance["share"], glance["agree"]) == (4, 0.75, 1.0)
    assert glance["passes"] == "75%, 75%" and glance["looks at pictures"] == 1
    assert (full["share"], full["agree"]) == (0.75, 0.5)
    assert (full["low"], full["high"]) == pytest.approx((0.3006, 0.9544), abs=1e-4)
    (counted,) = figures.faults(file.judgements())
    assert (counted["line"], counted["halo"], counted["other"]) == (1, 1, 0)


def test_judgement_file_keeps_the_last_answer_of_a_day(tmp_path: Path):
    file = JudgementFile(tmp_path / "judgements.jsonl")
    (right,) = _judgements(1, "", [("right", "clean")])
    (wrong,) = _judgements(1, "", [("wrong", "line")])
    (other,) = _judgements(1, "you", [("right", "clean")])
    for one in (right, other, wrong):
        file.add(one)
    assert file.judgements() == [other, wrong]
    file.undo(wrong)
    assert JudgementFile(file.path).judgements() == [other]
    file.path.write_text("[]\n")
    with pytest.raises(UserError, match="line 1: is no judgement"):
        file.judgements()


def test_choices_count_the_second_model():
    said = ["first", "second", "second", "equal"]
    pairs = [
        replace(one, against=_NETWORKS, answers={"choice": (answer,)})
        for one, answer in zip(_judgements(1, "", [("right", "clean")] * 4), said, strict=True)
    ]
    (row,) = figures.choices(pairs, {PICTURES: {"web": 4}})
    assert (row["first better"], row["second better"], row["equal"]) == (1, 2, 1)
    assert row["share of the second"] == pytest.approx(2 / 3)
    assert row["looks at pictures"] == 4
