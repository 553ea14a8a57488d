from __future__ import annotations

import pytest

from rkt.schema.kind import decode_kind
from rkt.schema.problems import ManifestError


@pytest.mark.spec("TYPE-013", "TYPE-015", "TYPE-016")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[]", "must be a JSON object, not a list"),
        (b"{}", "acKind: is required"),
        (b'{"acKind":null}', "acKind: is required"),
        (b'{"acKind":1}', "acKind: must be a string, not a number"),
        (b'{"acKind":""}', "acKind: must not be empty"),
        (b'{"acKind":"Pod-Manifest"}', "acKind: may contain only letters and digits"),
        (b'{"acKind":"podManifest"}', "acKind: is not a kind that appc defines"),
        (b'{"acKind":"AppManifest"}', "acKind: is not a kind that appc defines"),
    ],
)
def test_bad_kinds(data: bytes, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        decode_kind(data, source="manifest x")
    assert str(caught.value).startswith(f"invalid manifest x: {message}")


def test_kinds() -> None:
    assert decode_kind(b'{"ACKIND":"ImageManifest"}') == "ImageManifest"
    assert decode_kind(b'{"acKind":"PodManifest","apps":1}') == "PodManifest"
    assert decode_kind(b'{"acKind":"ContainerRuntimeManifest"}') == "PodManifest"
