from __future__ import annotations

from collections.abc import Callable

import pytest

from rkt.schema.go_platform import find_appc_arch, find_go_arch
from rkt.schema.image import decode_image_manifest
from rkt.schema.label import SUPPORTED_OS_ARCH

Build = Callable[..., bytes]
FindProblems = Callable[[bytes], list[str]]


@pytest.mark.spec("TYPE-040", "TYPE-041")
@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ({"name": "a"}, "labels[0].value: is required"),
        ({"value": "a"}, "labels[0].name: is required"),
        ({"name": "a", "value": None}, "labels[0].value: is required"),
        ({"name": "a", "value": 1}, "labels[0].value: must be a string, not a number"),
        ({"name": 1, "value": "a"}, "labels[0].name: must be a string, not a number"),
        ({"name": "A", "value": ""}, 'labels[0].name: may contain only lower-case letters, digits and "-._~/"'),
        ("a=b", "labels[0]: must be a JSON object, not a string"),
        (None, "labels[0]: must be a JSON object, not null"),
    ],
)
def test_bad_labels(image: Build, find_problems: FindProblems, label: object, problem: str) -> None:
    assert find_problems(image(labels=[label])) == [problem]


@pytest.mark.spec("IMG-007", "TYPE-041", "TYPE-046", "TYPE-047")
def test_good_labels(image: Build) -> None:
    labels = [{"name": "arch", "value": "made up"}, {"name": "a/b", "value": ""}]
    manifest = decode_image_manifest(image(labels=labels))
    assert (manifest.label("arch"), manifest.label("a/b"), manifest.label("os")) == ("made up", "", None)
    assert decode_image_manifest(image(labels=None)).labels == ()


@pytest.mark.spec("TYPE-042", "TYPE-043", "TYPE-044", "TYPE-045")
def test_rules_of_a_list_are_reported_at_the_label(image: Build, find_problems: FindProblems) -> None:
    def problems(*pairs: tuple[str, str]) -> list[str]:
        return find_problems(image(labels=[{"name": name, "value": value} for name, value in pairs]))

    assert problems(("a", ""), ("a", "")) == ['labels[1].name: "a" is given more than once']
    assert problems(("name", "x")) == ['labels[0].name: must not be "name"']
    assert problems(("os", "Linux")) == ['labels[0].value: "Linux" is not one of darwin, freebsd, linux']
    assert problems(("arch", "arm"), ("os", "darwin")) == [
        'labels[0].value: "arm" is not one of x86_64, i386 (for darwin)'
    ]


@pytest.mark.spec("TYPE-049")
def test_every_platform_that_go_has_is_translated_there_and_back() -> None:
    foreign = {("linux", "aarch64_be"), ("linux", "armv7b")}
    for os, arches in SUPPORTED_OS_ARCH.items():
        for arch in arches:
            go = find_go_arch(os=os, arch=arch)
            assert (go is None) == ((os, arch) in foreign)
            if go is not None:
                assert find_appc_arch(os=os, go_arch=go[0], go_flavour=go[1]) == arch
    assert find_appc_arch(os="linux", go_arch="386") == "i386"
    assert find_appc_arch(os="linux", go_arch="arm") == "armv6l"
    assert find_appc_arch(os="freebsd", go_arch="arm", go_flavour="6") == "arm"
    assert find_appc_arch(os="plan9", go_arch="amd64") is None
