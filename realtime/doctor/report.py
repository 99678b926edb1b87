"""`unmask doctor`: checks what works on this machine, and says how to fix what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from inpaint_model.errors import UserError
from inpaint_model.installation import for_this_python, reinstall_command
from realtime.doctor import devices, packages, software
from realtime.doctor.check import Check


def examine(model: str = "fast", models_dir: Path | None = None) -> list[Check]:
    """Run all checks; a check that raises is reported as "bad".

    Args:
        model: the model whose weights are tried.
        models_dir: folder searched first for MediaPipe's model.
    """
    parts: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("python", software.python),
        ("packages", packages.rivals),
        ("opencv", packages.opencv),
        ("face model", lambda: software.face_model(models_dir)),
        ("gpu", devices.gpu),
        ("engines", devices.engines),
        ("privacy", packages.privacy),
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
            checks.append(Check(name, "bad", str(error), _fix_for(error)))
        except Exception as error:
            found = f"{type(error).__name__}: {error}".splitlines()[0]
            checks.append(Check(name, "bad", found, _fix_for(error)))
    return checks


def table(checks: list[Check]) -> str:
    """Format the checks as lines: each fix below its check, the verdict last."""
    width = max(len(check.name) for check in checks)
    marks = {"ok": "ok  ", "note": "note", "bad": "BAD "}
    lines = []
    for check in checks:
        lines.append(f"{marks[check.state]} {check.name:{width}}  {check.found}")
        steps = for_this_python(check.fix).splitlines()
        lines += [f"{'':{width + 5}}  -> {step}" for step in steps]
    bad = sum(check.fatal for check in checks)
    failed = f"{bad} of {len(checks)} checks failed"
    return "\n".join([*lines, "", failed if bad else "pictures and videos can be unmasked"])


def _fix_for(error: Exception) -> str:
    if any(library in str(error) for library in ("libGL", "libgthread", "libEGL")):
        return "apt-get install libgl1 libglib2.0-0 libegl1 libgles2 (Debian, Ubuntu)"
    if isinstance(error, ImportError):
        return reinstall_command()
    if isinstance(error, UserError):
        return reinstall_command("--no-deps") if "reinstall" in str(error) else "see the message"
    return "UNMASK_DEBUG=1 with the command that fails shows more"
