"""Requests are values."""

from __future__ import annotations

import pytest

from rkt.schema.image import ImageManifest
from rkt.stage0.request import AppRequest, IsolatorOverrides, PodRequest, SeccompOverride

IMAGE = ImageManifest(name="example.com/app")


def request() -> PodRequest:
    app = AppRequest(key="sha512-aa", image_id="sha512-aabb", manifest=IMAGE, arguments=("x",))
    return PodRequest(apps=(app,), environment=(("A", "1"),))


def test_equal_requests_are_equal_and_hash_alike() -> None:
    assert request() == request()
    assert hash(request()) == hash(request())
    assert request() != request().replace(environment=())


def test_request_cannot_be_changed() -> None:
    for value in (request(), request().apps[0], IsolatorOverrides(), SeccompOverride(retain=True, names=("x",))):
        with pytest.raises(AttributeError):
            value.name = "other"


def test_app_that_asks_for_nothing_overrides_nothing() -> None:
    app = AppRequest(key="sha512-aa", image_id="sha512-aabb", manifest=IMAGE)
    assert app.isolators == IsolatorOverrides()
    assert (app.name, app.exec, app.user, app.working_directory, app.supplementary_gids) == (None,) * 5
    assert (app.arguments, app.mounts, app.environment, app.read_only_rootfs) == ((), (), (), False)
