"""`unmask doctor`: what works on this machine, what does not, and the mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.doctor.check import Check


def examine(model: str = "fast", models_dir: Path | None = None) -> list[Check]:
    """Check everything; a check that fails itself is a bad one, never an exception.

    Args:
        model: the model whose weights are tried.
        models_dir: folder searched first for MediaPipe's model.
    """
    from realtime.doctor import devices, software

    parts: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("python", software.python),
        ("opencv", software.opencv),
        ("mediapipe", lambda: software.mediapipe(models_dir)),
        ("gpu", devices.gpu),
        ("engines", devices.engines),
        ("weights", lambda: software.weights(model)),
        ("one frame", lambda: software.one_frame(model, models_dir)),
        ("video files", software.codecs),
        ("cache", software.cache),
        ("display", devices.display),
        ("camera", devices.camera),
        ("virtual camera", devices.virtual_camera),
    ]
    checks: list[Check] = []
    for name, part in parts:
        try:
            checks += part()
        except UserError as error:
            checks.append(Check(name, "bad", str(error), "see the message"))
        except Exception as error:
            found = f"{type(error).__name__}: {error}".splitlines()[0]
            checks.append(Check(name, "bad", found, _mend_of(error)))
    return checks


def table(checks: list[Check]) -> str:
    """Lay the checks out in lines, the mend under what needs one, the verdict last."""
    width = max(len(check.what) for check in checks)
    marks = {"ok": "ok  ", "note": "note", "bad": "BAD "}
    lines = []
    for check in checks:
        lines.append(f"{marks[check.state]} {check.what:{width}}  {check.found}")
        if check.mend:
            lines.append(f"{'':{width + 5}}  -> {check.mend}")
    bad = sum(check.fatal for check in checks)
    verdict = (
        f"{bad} of {len(checks)} checks failed" if bad else "pictures and videos can be unmasked"
    )
    return "\n".join([*lines, "", verdict])


def _mend_of(error: Exception) -> str:
    text = str(error)
    if "libGL" in text or "libgthread" in text or "libEGL" in text or "libGLES" in text:
        return "apt-get install libgl1 libglib2.0-0 libegl1 libgles2 (Debian, Ubuntu)"
    if isinstance(error, ImportError):
        return "pip install --force-reinstall -c constraints.txt unmask-video"
    return "UNMASK_DEBUG=1 with the command that fails shows more"
