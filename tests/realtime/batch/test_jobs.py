"""The files of a batch: what is found, and the record of what is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inpaint_model.errors import UserError
from realtime.batch.jobs import Job, Outcome, Record, find_jobs


def test_find_jobs_takes_patterns_and_refuses_clashes(media: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    jobs = find_jobs([str(media / "**" / "*.png")], out)
    assert sorted(Path(job.target).name for job in jobs) == ["face.png", "room.png"]
    jobs = find_jobs([str(media)], out)
    assert str(out / "a" / "b" / "film.mp4") in {job.target for job in jobs}
    with pytest.raises(UserError, match="nothing matches"):
        find_jobs([str(media / "*.mov")], out)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "room.png").touch()
    with pytest.raises(UserError, match="would both be written"):
        find_jobs([str(media / "room.png"), str(tmp_path / "a" / "room.png")], out)


def test_find_jobs_knows_every_kind_and_names_the_rest(tmp_path: Path) -> None:
    folder, out, left_out = tmp_path / "in", tmp_path / "out", list[Path]()
    folder.mkdir()
    frames = [Image.new("RGB", (8, 8), (80 * red, 0, 0)) for red in (1, 2, 3)]
    frames[0].save(folder / "still.gif")
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    for name in (
        "a.heic",
        "b.AVIF",
        "c.jp2",
        "d.jfif",
        "e.vob",
        "notes.txt",
        "list.pdf",
        ".hidden",
    ):
        (folder / name).touch()
    jobs = find_jobs([str(folder)], out, left_out)
    assert {Path(job.target).name for job in jobs} == {
        *("a.heic.png", "b.AVIF.png", "c.jp2.png", "d.jfif", "e.vob.mkv"),
        *("still.gif.png", "moving.gif.mkv"),
    }
    assert [path.name for path in left_out] == ["list.pdf", "notes.txt"]


def test_find_jobs_skips_link_loops_and_results(tmp_path: Path) -> None:
    (tmp_path / "x.png").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.png").touch()
    jobs = find_jobs([str(tmp_path)], tmp_path / "out")
    assert [job.source for job in jobs] == [str(tmp_path / "x.png")]


def test_find_jobs_leaves_out_links_if_asked(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.png").touch()
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.png").touch()
    (folder / "link.png").symlink_to(tmp_path / "other" / "x.png")
    names = [Path(job.source).name for job in find_jobs([str(folder)], tmp_path / "out")]
    kept = find_jobs([str(folder)], tmp_path / "out", follow=False)
    assert names == ["a.png", "link.png"]
    assert [Path(job.source).name for job in kept] == ["a.png"]


def test_find_jobs_patterns_do_not_follow_links_to_folders(tmp_path: Path) -> None:
    folder, other = tmp_path / "in", tmp_path / "other"
    (folder / "a").mkdir(parents=True)
    other.mkdir()
    for path in (folder / "a" / "x.png", folder / "a" / ".hidden.png", other / "y.png"):
        path.touch()
    (folder / "z.png").symlink_to(other / "y.png")
    (folder / "link").symlink_to(other)
    (folder / "a" / "loop").symlink_to(folder)

    def named(pattern: str, *, follow: bool = True) -> list[str]:
        jobs = find_jobs([str(folder / pattern)], tmp_path / "out", follow=follow)
        return sorted(str(Path(job.source).relative_to(folder)) for job in jobs)

    assert named("**/*.png") == named("*") == ["a/x.png", "z.png"]
    assert named("**/*.png", follow=False) == named("*/*.png") == ["a/x.png"]
    assert named("**.png") == ["z.png"]
    assert named("link/*.png") == ["link/y.png"]  # the user names this link


def test_record_with_half_a_line_is_read(tmp_path: Path) -> None:
    (tmp_path / ".unmask-batch.jsonl").write_text('{"target": "a.png", "key": "1"}\n{"targ')
    job = Record(tmp_path).known(Job("s", str(tmp_path / "a.png")))
    assert not job.written_by_batch


def test_record_on_a_full_disk_is_a_note(tmp_path: Path) -> None:
    """Another program has taken its place; a full disk fails alike."""
    record, victim = Record(tmp_path), tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".unmask-batch.jsonl").symlink_to(victim)
    for number in range(2):
        record.add(Outcome("s", str(tmp_path / f"{number}.png"), "done"))
    assert (record.missing, "cannot be written" in record.error) == (2, True)
    assert victim.read_text() == "mine"


def test_record_goes_on_after_half_a_line(tmp_path: Path) -> None:
    (tmp_path / ".unmask-batch.jsonl").write_text('{"targ')
    (tmp_path / "a.png").touch()
    Record(tmp_path).add(Outcome("s", str(tmp_path / "a.png"), "done", key="1"))
    assert Record(tmp_path).known(Job("s", str(tmp_path / "a.png"))).done_key == "1"
