"""The likeness of masked and unmasked faces is measured on held-out faces."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quality import identity


def test_identity_compares_both_with_the_bare_face(prepared_file: Path) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed")
    masked, unmasked = identity.run([prepared_file], limit=4)
    for row in (masked, unmasked):
        assert 0.5 < float(row["cosine with the bare face"]) < 1
        assert 0 < float(row["distance"]) < 1
    assert masked["cosine with the bare face"] != unmasked["cosine with the bare face"]
