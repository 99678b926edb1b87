"""Shows filled faces one by one in the browser, keeps what the judge says, and prints the figures."""

from __future__ import annotations

import random
import webbrowser
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.judging import figures
from benchmarks.judging.cases import Case, draw_photographs, draw_videos
from benchmarks.judging.records import FIGURES, PICTURES, Judgement, JudgementFile, now
from benchmarks.judging.server import JudgeServer
from benchmarks.judging.session import Answers, Session
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.live.sinks import find_display
from realtime.unmasker import Mode


@dataclass(frozen=True)
class JudgeOptions:
    """What is judged, and by whom.

    Attributes:
        photos: folders of photographs, each a collection.
        videos: videos and folders of MP4 files, each a collection.
        models: one model, or two to choose between.
        judgements: the file of judgements.
        judge: who judges.
        count: faces in all.
        seed: of the lot.
        engine: of the generators.
        out: folder for the figures as JSON; None writes none.
        without: appearance step that is left out of the last model's results; none if empty.
    """

    photos: Sequence[Path]
    videos: Sequence[Path]
    models: Sequence[str]
    judgements: Path
    judge: str = ""
    count: int = 60
    seed: int = 0
    engine: str = "auto"
    out: Path | None = None
    without: str = ""


def run(options: JudgeOptions) -> list[Row]:
    """Judge faces in the browser; without photographs and videos only print the figures so far.

    Raises:
        UserError: no face was filled, or a file cannot be read.
    """
    file = JudgementFile(options.judgements)
    said = file.judgements()  # a file that cannot be read is refused before the faces are drawn
    if not options.photos and not options.videos:
        if not said:
            raise UserError(f"{file.path}: no judgements; --photos and --videos say what is judged")
        file.add_looks(FIGURES, said)
        return _publish(said, file, options.out)
    cases, networks = _draw(options)
    if not cases:
        raise UserError("no face was filled in these photographs and videos")
    made = {case: _judgement(case, networks, options.judge, {}) for case in cases}
    shown = {(one.shown, one.models) for one in made.values()}
    today = {(one.shown, one.models, one.judge, one.day) for one in said}
    left = [
        case
        for case, one in made.items()
        if (one.shown, one.models, one.judge, one.day) not in today
    ]
    file.add_looks(PICTURES if left else FIGURES, made.values())
    if left:
        _serve(file, left, len(cases) - len(left), networks, options.judge)
    return _publish(
        [one for one in file.judgements() if (one.shown, one.models) in shown], file, options.out
    )


def _draw(options: JudgeOptions) -> tuple[list[Case], list[dict[str, str]]]:
    """Draw as many faces from each collection; also give the networks of each model."""
    sources = [*options.photos, *options.videos]
    cases, networks = [], []
    left_out = [[] for _ in options.models]
    if options.without:
        left_out[-1] = [options.without]
    for number, path in enumerate(sources):
        mode: Mode = "image" if number < len(options.photos) else "video"
        draw = draw_photographs if mode == "image" else draw_videos
        count = options.count // len(sources) + (number < options.count % len(sources))
        with ExitStack() as stack:
            unmaskers = [
                stack.enter_context(
                    Unmasker(model=name, engine=options.engine, mode=mode, without_steps=steps)
                )
                for name, steps in zip(options.models, left_out, strict=True)
            ]
            cases += draw(path, count, options.seed, unmaskers)
            networks = [
                unmasker.artefacts.as_dict() | ({"without": steps[0]} if steps else {})
                for unmasker, steps in zip(unmaskers, left_out, strict=True)
            ]
    random.Random(options.seed).shuffle(cases)
    return cases, networks


def _judgement(
    case: Case, networks: Sequence[dict[str, str]], judge: str, answers: Answers
) -> Judgement:
    against = networks[1] if len(networks) > 1 else None
    place = case.collection, case.file, case.frame, case.box, case.digest
    return Judgement(*place, networks[0], against, judge, now(), answers)


def _serve(
    file: JudgementFile,
    cases: Sequence[Case],
    before: int,
    networks: Sequence[dict[str, str]],
    judge: str,
) -> None:
    """Serve the page until the judge quits or interrupts the program."""
    session = Session(
        cases,
        lambda case, answers: file.add(_judgement(case, networks, judge, answers)),
        lambda case, answers: file.undo(_judgement(case, networks, judge, answers)),
        before,
    )
    with JudgeServer(session) as server:
        print(f"judge at {server.address}", flush=True)
        if find_display():
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def _publish(said: Sequence[Judgement], file: JudgementFile, out: Path | None) -> list[Row]:
    """Print the figures of judgements, and write them as JSON."""
    looks = file.looks()
    details = {"looks": {what: dict(counts) for what, counts in looks.items()}}
    single = [one for one in said if one.against is None]
    pairs = [one for one in said if one.against is not None]
    rows: list[Row] = []
    if single:
        rows += publish("judged", figures.shares(single, looks), out, details)
        publish("judged-faults", figures.faults(single), out)
    if pairs:
        rows += publish("judged-choices", figures.choices(pairs, looks), out, details)
    if not rows:
        print("nothing is judged yet")
    return rows
