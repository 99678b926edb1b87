"""A record's line holds every field, and the schema knows each of them."""

from __future__ import annotations

import json
from dataclasses import fields
from importlib.resources import files

import jsonschema
import pytest

from realtime.feed.record import SCHEMA_VERSION, FaceRecord
from tests.realtime.making_feed import Check

ARRAYS = {"crop_rgb", "crop_before_rgb"}
KEYS = [field.name for field in fields(FaceRecord) if field.name not in ARRAYS]
SCHEMA = json.loads((files("realtime.feed") / "face_record.schema.json").read_text())


def test_schema_requires_every_field_of_a_record() -> None:
    assert SCHEMA["required"] == KEYS == list(SCHEMA["properties"])
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_lines_of_a_masked_face_are_valid(records: list[FaceRecord], check_line: Check) -> None:
    for record in records:
        line = record.as_json()
        assert "\n" not in line
        values = check_line(line)
        assert values["inpainted"] is True
        assert values["track_id"] == 0


@pytest.mark.parametrize("key", KEYS)
def test_line_without_a_field_is_refused(
    key: str, records: list[FaceRecord], check_line: Check
) -> None:
    values = json.loads(records[0].as_json())
    del values[key]
    with pytest.raises(jsonschema.ValidationError):
        check_line(json.dumps(values))


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("box", [1, 2, 3]),
        ("keypoints", [[1, 2]] * 4),
        ("inpainted", "yes"),
        ("mask_coverage", 1.2),
        ("model_sha256", "0" * 63),
        ("captured_at", 12),
        ("key", "0-0"),
        ("embedding", []),
        ("event", "frame"),
        ("schema_version", 2),
        ("more", 1),
    ],
)
def test_line_with_a_wrong_value_is_refused(
    key: str, wrong: object, records: list[FaceRecord], check_line: Check
) -> None:
    values = json.loads(records[0].as_json())
    with pytest.raises(jsonschema.ValidationError):
        check_line(json.dumps({**values, key: wrong}))
