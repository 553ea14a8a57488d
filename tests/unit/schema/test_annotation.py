from __future__ import annotations

from collections.abc import Callable

import pytest

from rkt.schema.image import decode_image_manifest

Build = Callable[..., bytes]
FindProblems = Callable[[bytes], list[str]]


@pytest.mark.spec("IMG-070", "IMG-071", "IMG-072", "IMG-074", "IMG-075")
def test_every_bad_annotation_is_reported(image: Build, find_problems: FindProblems) -> None:
    annotations = [
        {"name": "created", "value": "yesterday"},
        {"name": "homepage", "value": "ftp://a"},
        {"name": "documentation", "value": ""},
        {"name": "Upper", "value": "x"},
        {"name": "a", "value": "1"},
        {"name": "a", "value": "2"},
        {"name": "b", "value": {}},
    ]
    assert [problem.partition(": ")[0] for problem in find_problems(image(annotations=annotations))] == [
        *("annotations[3].name", "annotations[6].value", "annotations[5].name"),
        *("annotations[0].value", "annotations[1].value", "annotations[2].value"),
    ]


@pytest.mark.spec("IMG-073", "IMG-076")
def test_other_annotations_are_free_text(image: Build) -> None:
    texts = {"authors": "", "appc.io/executor/supports-systemd-notify": "true", "example.com/x": "<&>\n\0"}
    manifest = decode_image_manifest(image(annotations=[{"name": n, "value": v} for n, v in texts.items()]))
    assert {name: manifest.annotation(name) for name in texts} == texts
    assert manifest.annotation("none") is None
