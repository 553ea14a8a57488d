from __future__ import annotations

from collections.abc import Callable

import pytest

from rkt.schema.image import decode_image_manifest, encode_image_manifest

Build = Callable[..., bytes]
FindProblems = Callable[[bytes], list[str]]

FULL_ID = "sha512-" + "0a" * 64


@pytest.mark.spec("IMG-062", "IMG-063", "IMG-064", "IMG-065", "IMG-066")
@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"imageName": None}, "imageName: is required"),
        ({"imageName": "A"}, "imageName: may contain only"),
        ({"imageID": ""}, 'imageID: must have the form "sha512-DIGEST"'),
        ({"imageID": "sha256-" + "0a" * 32}, 'imageID: must start with "sha512-"'),
        ({"imageID": "sha512-../../x"}, "imageID: must have 128 lower-case hexadecimal digits"),
        ({"labels": [{"name": "name", "value": ""}]}, 'labels[0].name: must not be "name"'),
        ({"labels": [{"name": "os", "value": "x"}]}, 'labels[0].value: "x" is not one of'),
        ({"size": -1}, "size: must be in the range 0 to 18446744073709551615"),
        ({"size": 1.5}, "size: must be an integer in the range"),
        ({"size": "1"}, "size: must be an integer, not a string"),
        ({"size": True}, "size: must be an integer, not a boolean"),
    ],
)
def test_bad_dependencies(image: Build, find_problems: FindProblems, members: dict[str, object], problem: str) -> None:
    (found,) = find_problems(image(dependencies=[{"imageName": "a"}, {"imageName": "b", **members}]))
    assert found.startswith(f"dependencies[1].{problem}")


@pytest.mark.spec("IMG-062", "IMG-064", "IMG-066")
def test_good_dependencies_keep_their_order(image: Build) -> None:
    dependencies = [{"imageName": "b", "imageID": FULL_ID, "size": 0}, {"imageName": "a", "imageID": None, "size": 7}]
    manifest = decode_image_manifest(image(dependencies=dependencies))
    assert [(d.image_name, d.image_id, d.size) for d in manifest.dependencies] == [("b", FULL_ID, None), ("a", None, 7)]
    assert f'[{{"imageName":"b","imageID":"{FULL_ID}"}},{{"imageName":"a","size":7}}]'.encode() in (
        encode_image_manifest(manifest)
    )


def test_an_incomplete_image_id_is_read(image: Build, find_problems: FindProblems) -> None:
    """As the specification's own examples have it; :mod:`rkt.schema.advice` warns of it."""
    for image_id in ("sha512-...", "sha512-fcdf12587358af6ebe69b5338a05df67"):
        assert find_problems(image(dependencies=[{"imageName": "b", "imageID": image_id}])) == []
