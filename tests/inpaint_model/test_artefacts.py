"""Every network is found and identified; a third-party one is accepted only with its pinned hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from inpaint_model.artefacts import (
    FACE_LANDMARKER,
    SHIPPED_GENERATORS,
    ArtefactHashes,
    ThirdPartyModel,
    find_face_aligner,
    find_face_landmarker,
    find_generator,
    find_segmenter,
    find_third_party,
)
from inpaint_model.errors import UserError

CONTENT = b"a model"


class OfficialServer(ThreadingHTTPServer):
    """Answers every request with `content`; of a cut answer the second half never comes."""

    content, cut = CONTENT, False


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, OfficialServer)
        content = self.server.content
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.server.cut else content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def official() -> Iterator[OfficialServer]:
    with OfficialServer(("127.0.0.1", 0), _Answer) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def model(
    official: OfficialServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ThirdPartyModel:
    """A model on a server of this machine, with a cache of its own."""
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("UNMASK_MODELS_DIR", raising=False)
    url = f"http://127.0.0.1:{official.server_port}/a.task"
    return ThirdPartyModel("a.task", sha256(CONTENT), url, ("no_package", "a.task"))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", SHIPPED_GENERATORS)
def test_find_generator_shipped_opens_both_precisions(name: str) -> None:
    generator = find_generator(name)
    full, int8 = generator.open(), generator.open(int8=True)
    assert (full.name, full.precision, int8.precision) == (name, "fp16", "int8")
    assert full.sha256 == generator.sha256 == sha256(full.path.read_bytes())
    assert int8.sha256 == sha256(int8.path.read_bytes()) != full.sha256


def test_find_generator_not_installed_names_the_others(tmp_path: Path) -> None:
    (tmp_path / "fast.onnx").write_bytes(b"a network")
    with pytest.raises(UserError, match="'paper' are not in this installation: take fast"):
        find_generator("paper", tmp_path)


def test_find_segmenter_hashes_the_shipped_file() -> None:
    segmenter = find_segmenter()
    assert segmenter.name == "segmenter"
    assert segmenter.sha256 == sha256(segmenter.path.read_bytes())


def test_find_segmenter_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="weights are missing"):
        find_segmenter(tmp_path / "none.tflite")


def test_find_face_aligner_hashes_the_shipped_file() -> None:
    aligner = find_face_aligner()
    assert aligner.name == "face_aligner"
    assert aligner.sha256 == sha256(aligner.path.read_bytes())


def test_artefact_hashes_are_named_in_json() -> None:
    names = ("generator", "segmenter", "face_landmarker", "face_aligner")
    assert list(ArtefactHashes(*names).as_dict().items()) == [(name, name) for name in names]


def test_face_landmarker_of_the_package_needs_no_download(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("UNMASK_MODELS_DIR", raising=False)
    found = find_face_landmarker()
    assert (found.name, found.sha256) == ("face_landmarker", FACE_LANDMARKER.sha256)
    assert list(tmp_path.iterdir()) == []


def test_download_is_kept_in_the_cache(
    model: ThirdPartyModel, official: OfficialServer, tmp_path: Path
) -> None:
    found = find_third_party(model)
    assert found.path == tmp_path / "cache" / "models" / "a.task"
    assert found.path.read_bytes() == CONTENT
    official.content = b""
    assert find_third_party(model) == found


@pytest.mark.parametrize(
    ("content", "cut"), [(b"another model", False), (CONTENT, True), (b"", False)]
)
def test_download_that_fails_is_one_line_and_not_kept(
    content: bytes,
    cut: bool,
    model: ThirdPartyModel,
    official: OfficialServer,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    official.content, official.cut = content, cut
    with pytest.raises(UserError, match=r"could not be downloaded.*--models-dir") as raised:
        find_third_party(model)
    assert "\n" not in str(raised.value)
    assert capfd.readouterr() == ("", "")
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_download_offline_says_what_to_do(model: ThirdPartyModel) -> None:
    nobody = replace(model, url="http://127.0.0.1:9/a.task")
    with pytest.raises(UserError, match=r"could not be downloaded.*--models-dir"):
        find_third_party(nobody)


def test_models_dir_is_searched_first(
    model: ThirdPartyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_third_party(model)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.task").write_bytes(CONTENT)
    assert find_third_party(model, folder).path.parent == folder
    monkeypatch.setenv("UNMASK_MODELS_DIR", str(folder))
    assert find_third_party(model).path.parent == folder


def test_models_dir_with_another_file_names_it(tmp_path: Path) -> None:
    wrong = tmp_path / FACE_LANDMARKER.name
    wrong.write_bytes(b"not it")
    with pytest.raises(UserError, match=str(wrong)):
        find_face_landmarker(tmp_path)


def test_models_dir_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        find_face_landmarker(tmp_path / "absent")
