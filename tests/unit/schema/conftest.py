"""Builders of manifests, and the problems that the decoders find in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rkt.schema.image import decode_image_manifest
from rkt.schema.kind import decode_kind
from rkt.schema.pod import decode_pod_manifest
from rkt.schema.problems import ManifestError

Build = Callable[..., bytes]
FULL_ID = "sha512-" + "ab" * 64


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """Inputs that the original's library accepts and rejects, by type."""
    path = Path(__file__).parents[2] / "golden" / "schema" / "appc-vectors.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@pytest.fixture(scope="session")
def image() -> Build:
    """``image(labels=[...])``: an image manifest with these members beside the required ones."""

    def build(**members: object) -> bytes:
        start = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/app"}
        return json.dumps({**start, **members}).encode()

    return build


@pytest.fixture(scope="session")
def app_image(image: Build) -> Build:
    """``app_image(exec=[...])``: an image manifest whose ``app`` has these members."""

    def build(**members: object) -> bytes:
        return image(app={"exec": ["/a"], "user": "0", "group": "0", **members})

    return build


@pytest.fixture(scope="session")
def pod() -> Build:
    """``pod(volumes=[...])``: a pod manifest with these members and one app."""

    def build(**members: object) -> bytes:
        apps = [{"name": "a", "image": {"id": FULL_ID}}]
        return json.dumps({"acVersion": "0.8.11", "acKind": "PodManifest", "apps": apps, **members}).encode()

    return build


@pytest.fixture(scope="session")
def find_problems() -> Callable[[bytes], list[str]]:
    """The problems of a manifest of either kind as ``path: message``; empty when it is valid."""

    def find(data: bytes) -> list[str]:
        try:
            if decode_kind(data) == "PodManifest":
                decode_pod_manifest(data)
            else:
                decode_image_manifest(data)
        except ManifestError as error:
            return [str(problem) for problem in error.problems]
        return []

    return find


@pytest.fixture(scope="session")
def find_paths(find_problems: Callable[[bytes], list[str]]) -> Callable[[bytes], list[str]]:
    """The paths of the problems of a manifest."""

    def find(data: bytes) -> list[str]:
        return [problem.partition(": ")[0] for problem in find_problems(data)]

    return find
