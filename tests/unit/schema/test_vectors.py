"""Every vector of the original's library, accepted or rejected as the strict reading of the specification says.

Where we differ from the original on purpose, a table below lists the vector and the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from rkt.schema.annotation import Annotation, set_annotation
from rkt.schema.go_platform import find_appc_arch, find_go_arch
from rkt.schema.image import decode_image_manifest, encode_image_manifest
from rkt.schema.image_id import find_image_id_problem
from rkt.schema.isolator import Isolator
from rkt.schema.isolator_value import Cpu, Memory, decode_isolator_value
from rkt.schema.kind import decode_kind
from rkt.schema.label import SUPPORTED_OS_ARCH, labels_from_map
from rkt.schema.names import (
    find_identifier_problem,
    find_kind_problem,
    find_name_problem,
    sanitize_ac_identifier,
    sanitize_ac_name,
)
from rkt.schema.pod import decode_pod_manifest
from rkt.schema.pod_uuid import parse_uuid
from rkt.schema.problems import InvalidValueError, ManifestError
from rkt.schema.quantity import find_quantity_problem, parse_quantity
from rkt.schema.text_form import parse_app_reference, parse_mount_point, parse_pairs, parse_volume, volume_text
from rkt.schema.timestamp import find_timestamp_problem
from rkt.schema.version import find_version_problem
from rkt.schema.web_url import find_url_problem

Vectors = dict[str, Any]
Build = Callable[..., bytes]
FindProblems = Callable[[bytes], list[str]]

#: vectors of the original's library that are rejected here, and why
REJECTED_HERE = {
    ("ImageID", "sha512-abcdefghi"): "TYPE-026: the value is the hexadecimal text of the digest",
    ("ImageID", "sha512-06c733b1838136838e6d2d3e8fa5aea4c7905e92"): "TYPE-026: a digest has 128 digits",
    ("ACVersion", "01.0.0"): "TYPE-018: SemVer has no leading zeros",
    ("ACVersion", "1.0.0-"): "TYPE-018: SemVer has no empty pre-release",
    ("ACVersion", "1.0.0+"): "TYPE-018: SemVer has no empty build",
    ("Timestamp", "2014-10-27T19:32:27,5Z"): "RFC 3339: a fraction follows a point",
    ("Timestamp", "2014-10-27T9:32:27Z"): "RFC 3339: hours have two digits",
    ("Timestamp", "2014-10-27T19:32:27+24:00"): "RFC 3339: hours of an offset go to 23",
    ("IsolatorSetInApp", "[capabilities-remove-set + capabilities-retain-set]"): "contradictions: cannot be combined",
}
#: vectors that the original's library rejects and that are accepted here, and why
ACCEPTED_HERE = {
    ("IsolatorSetInApp", "[any unknown isolator]"): "contradictions: accept, keep, report",
    (
        "ImageManifest",
        '{"acKind":"ImageManifest","acVersion":"0.1.1","name":"a","labels":[{"name":"os","val":"linux"}]}',
    ): "an image of 0.1.1 is migrated",
    (
        "ImageManifest",
        '{"acKind":"ImageManifest","acVersion":"0.1.1","name":"a","annotations":{"x":"y"}}',
    ): "an image of 0.1.1 is migrated",
}
#: vectors about something else than the text of a manifest: tested beside the code that does it
ELSEWHERE = {
    "Discovery": "rkt.fetch",
    "Archive": "rkt.aci",
    "Layout": "rkt.aci",
    "MountInfo": "rkt.linux",
    "Renderer": "rkt.aci",
}
#: keys that are remarks about vectors
REMARKS = {"note", "strict_by_spec_needs", "error_prefix", "string_form_order", "also_with_sign"}

USED = {
    "ACIdentifier": (
        *("valid", "invalid", "json_valid", "json_invalid", "marshal_errors", "sanitize", "sanitize_error"),
        "regex_rejects_but_go_accepts",
    ),
    "ACName": (
        *("valid", "invalid", "json_valid", "json_invalid", "marshal_errors", "sanitize", "sanitize_error"),
        "regex_rejects_but_go_accepts",
    ),
    "ACKind": ("valid", "invalid", "json_invalid"),
    "ACVersion": ("valid", "invalid", "json_invalid", "canonical", "semver2_rejects_but_go_accepts"),
    "ImageID": ("valid", "invalid"),
    "UUID": ("valid", "invalid", "canonical", "json_invalid"),
    "Timestamp": ("valid", "invalid", "json_invalid", "formatted"),
    "URL": ("valid", "invalid", "json_invalid"),
    "Exec": ("valid", "invalid"),
    "Environment": ("valid", "invalid"),
    "Labels": ("valid", "invalid", "go_tuple", "from_map", "allowed_os_arch"),
    "Annotations": ("valid", "invalid", "json_invalid", "marshal", "set_semantics"),
    "App": ("valid", "invalid", "json_invalid"),
    "EventHandler": ("valid", "invalid"),
    "Dependency": ("valid", "invalid"),
    "MountPoint": ("valid", "invalid", "string_valid", "string_invalid"),
    "Port": ("valid", "invalid"),
    "ExposedPort": ("valid", "invalid"),
    "Volume": ("valid", "invalid", "string_valid", "string_invalid", "defaults"),
    "Mount": ("valid", "invalid"),
    "Isolator": ("valid", "invalid", "json_invalid", "unrecognized", "go_panics", "resource_values"),
    "IsolatorSetInApp": ("valid", "invalid"),
    "ResourceQuantity": (
        *("valid", "invalid", "valid_with_format", "numeric", "rounding", "canonical", "compare", "round_up"),
        "json_valid",
    ),
    "ImageManifest": ("valid", "invalid", "errors"),
    "PodManifest": ("valid", "invalid", "errors", "app_list"),
    "RuntimeApp": ("valid", "invalid"),
    "DiscoveryAppString": ("valid", "invalid", "parsed"),
    "QueryString": ("valid", "invalid", "output"),
    "LastDitch": ("valid", "invalid"),
}


def test_every_vector_is_used(vectors: Vectors) -> None:
    assert set(vectors) == set(USED) | set(ELSEWHERE)
    for kind, keys in USED.items():
        assert set(vectors[kind]) - REMARKS == set(keys), kind


def test_types_without_vectors_still_have_none(vectors: Vectors) -> None:
    """Their tests are our own, beside the module of the type."""
    for kind in ("ExposedPort", "Mount", "RuntimeApp", "MountPoint", "Volume"):
        assert vectors[kind]["valid"] == vectors[kind]["invalid"] == []


@pytest.mark.spec("TYPE-001", "TYPE-002", "TYPE-003", "TYPE-004", "TYPE-006", "TYPE-008", "TYPE-009", "TYPE-010")
@pytest.mark.parametrize(("kind", "find"), [("ACIdentifier", find_identifier_problem), ("ACName", find_name_problem)])
def test_names(vectors: Vectors, kind: str, find: Callable[[str], str | None]) -> None:
    group = vectors[kind]
    assert {text: find(text) for text in group["valid"]} == dict.fromkeys(group["valid"])
    for text in (*group["invalid"], *group["regex_rejects_but_go_accepts"], *group["marshal_errors"]):
        assert find(text) is not None, text
    words = {"char": "may contain only", "edge": "must start and end", "empty": "must not be empty"}
    for text, expected in group["marshal_errors"].items():
        assert words[expected] in str(find(text))


@pytest.mark.spec("TYPE-005")
def test_names_have_no_maximum_length() -> None:
    assert find_identifier_problem("a" * 100_000) is None


@pytest.mark.spec("TYPE-007")
def test_names_in_json(vectors: Vectors, find_problems: FindProblems) -> None:
    for raw in vectors["ACIdentifier"]["json_valid"]:
        assert find_problems(_with_raw("name", raw)) == []
    for raw in vectors["ACIdentifier"]["json_invalid"]:
        assert _is_rejected(_with_raw("name", raw)), raw


@pytest.mark.spec("TYPE-012")
def test_ac_names_in_json(vectors: Vectors, find_problems: FindProblems) -> None:
    for raw in vectors["ACName"]["json_valid"]:
        assert find_problems(_with_raw("app", _app_with_port(raw))) == []
    for raw in vectors["ACName"]["json_invalid"]:
        assert _is_rejected(_with_raw("app", _app_with_port(raw))), raw


@pytest.mark.parametrize(("kind", "sanitize"), [("ACIdentifier", sanitize_ac_identifier), ("ACName", sanitize_ac_name)])
def test_sanitize(vectors: Vectors, kind: str, sanitize: Callable[[str], str]) -> None:
    expected = vectors[kind]["sanitize"]
    assert {text: sanitize(text) for text in expected} == expected
    for text in vectors[kind]["sanitize_error"]:
        with pytest.raises(InvalidValueError):
            sanitize(text)


@pytest.mark.spec("TYPE-013", "TYPE-014", "TYPE-015", "TYPE-016")
def test_kinds(vectors: Vectors) -> None:
    assert all(find_kind_problem(text) is None for text in vectors["ACKind"]["valid"])
    assert all(find_kind_problem(text) for text in vectors["ACKind"]["invalid"])
    for raw in vectors["ACKind"]["json_invalid"]:
        with pytest.raises(ManifestError):
            decode_kind(b'{"acKind":' + raw.encode() + b"}")


@pytest.mark.spec("TYPE-017", "TYPE-018")
def test_versions(vectors: Vectors) -> None:
    group = vectors["ACVersion"]
    assert all(find_version_problem(text) is None for text in group["valid"])
    assert all(find_version_problem(text) for text in (*group["invalid"], *group["semver2_rejects_but_go_accepts"]))
    for text in group["canonical"]:
        assert find_version_problem(text), REJECTED_HERE["ACVersion", text]
    for raw in group["json_invalid"]:
        assert _is_rejected(b'{"acKind":"ImageManifest","acVersion":' + raw.encode() + b',"name":"a"}')


@pytest.mark.spec("TYPE-024", "TYPE-025", "TYPE-026")
def test_image_ids(vectors: Vectors) -> None:
    for text in vectors["ImageID"]["valid"]:
        assert find_image_id_problem(text), REJECTED_HERE["ImageID", text]
    assert all(find_image_id_problem(text) for text in vectors["ImageID"]["invalid"])
    assert find_image_id_problem("sha512-" + "0123456789abcdef" * 8) is None


@pytest.mark.spec("TYPE-038", "TYPE-039")
def test_uuids(vectors: Vectors) -> None:
    group = vectors["UUID"]
    assert {text: parse_uuid(text) for text in group["canonical"]} == group["canonical"]
    assert set(group["valid"]) == set(group["canonical"])
    for text in (*group["invalid"], *map(json.loads, group["json_invalid"])):
        with pytest.raises(InvalidValueError):
            parse_uuid(text)


@pytest.mark.spec("TYPE-033", "TYPE-034", "TYPE-035", "TYPE-036")
def test_timestamps(vectors: Vectors) -> None:
    group = vectors["Timestamp"]
    assert all(find_timestamp_problem(text) is None for text in group["valid"])
    assert all(find_timestamp_problem(text) for text in group["invalid"])
    for text in group["formatted"]:
        rejected = ("Timestamp", text) in REJECTED_HERE
        assert (find_timestamp_problem(text) is not None) == rejected, text
    for raw in group["json_invalid"]:
        assert _is_rejected(_with_raw("annotations", f'[{{"name":"created","value":{raw}}}]'))


@pytest.mark.spec("TYPE-037")
def test_urls(vectors: Vectors) -> None:
    assert all(find_url_problem(text) is None for text in vectors["URL"]["valid"])
    assert all(find_url_problem(text) for text in vectors["URL"]["invalid"])
    for raw in vectors["URL"]["json_invalid"]:
        assert _is_rejected(_with_raw("annotations", f'[{{"name":"homepage","value":{raw}}}]'))


@pytest.mark.spec("IMG-010")
def test_exec(vectors: Vectors, app_image: Build, find_problems: FindProblems) -> None:
    assert vectors["Exec"]["invalid"] == []
    for arguments in vectors["Exec"]["valid"]:
        assert find_problems(app_image(exec=arguments)) == []


@pytest.mark.spec("IMG-033", "IMG-034", "IMG-035")
def test_environment(vectors: Vectors, app_image: Build, find_problems: FindProblems) -> None:
    for key, valid in (("valid", True), ("invalid", False)):
        for pairs in vectors["Environment"][key]:
            assert (find_problems(app_image(environment=_named(pairs))) == []) == valid, pairs


@pytest.mark.spec("TYPE-042", "TYPE-043", "TYPE-044", "TYPE-045")
def test_labels(vectors: Vectors, image: Build, find_problems: FindProblems) -> None:
    group = vectors["Labels"]
    for key, valid in (("valid", True), ("invalid", False)):
        for pairs in group[key]:
            assert (find_problems(image(labels=_named(pairs))) == []) == valid, pairs
    assert {os: list(arches) for os, arches in SUPPORTED_OS_ARCH.items()} == group["allowed_os_arch"]
    assert [label.name for label in labels_from_map({"foo": "bar", "bar": "baz", "baz": "foo"})] == [
        "bar",
        "baz",
        "foo",
    ]
    assert labels_from_map({"foo": ""})[0].value == ""
    with pytest.raises(InvalidValueError):
        labels_from_map({"name": "foo"})


@pytest.mark.spec("TYPE-049")
def test_go_platforms(vectors: Vectors) -> None:
    for platform, expected in vectors["Labels"]["go_tuple"].items():
        os, arch = platform.split("/")
        found = find_go_arch(os=os, arch=arch)
        assert found == (None if expected is None else tuple(expected[1:]))
        if found is not None:
            assert find_appc_arch(os=os, go_arch=found[0], go_flavour=found[1]) == arch


@pytest.mark.spec("IMG-070", "IMG-071", "IMG-072", "IMG-074", "IMG-075")
def test_annotations(vectors: Vectors, image: Build, find_problems: FindProblems) -> None:
    group = vectors["Annotations"]
    for key, valid in (("valid", True), ("invalid", False)):
        for pairs in group[key]:
            assert (find_problems(image(annotations=_named(pairs))) == []) == valid, pairs
    assert all(_is_rejected(_with_raw("annotations", raw)) for raw in group["json_invalid"])
    for pairs, text in group["marshal"].items():
        manifest = decode_image_manifest(image(annotations=_named(json.loads(pairs))))
        assert f'"annotations":{text}'.encode() in encode_image_manifest(manifest)


def test_set_annotation_overwrites_in_place_or_appends() -> None:
    annotations = (Annotation(name="a", value="1"), Annotation(name="b", value="2"))
    assert [a.value for a in set_annotation(annotations, name="a", value="3")] == ["3", "2"]
    assert [a.name for a in set_annotation(annotations, name="c", value="3")] == ["a", "b", "c"]


@pytest.mark.spec("IMG-016", "IMG-017", "IMG-026", "IMG-029", "IMG-081")
def test_apps(vectors: Vectors, image: Build, find_problems: FindProblems) -> None:
    for app in vectors["App"]["valid"]:
        assert find_problems(image(app=app)) == []
    for app in vectors["App"]["invalid"]:
        assert find_problems(image(app=app)), app
    assert all(_is_rejected(_with_raw("app", raw)) for raw in vectors["App"]["json_invalid"])


@pytest.mark.spec("IMG-025")
def test_event_handlers(vectors: Vectors, app_image: Build, find_problems: FindProblems) -> None:
    for key, valid in (("valid", True), ("invalid", False)):
        for name in vectors["EventHandler"][key]:
            assert (find_problems(app_image(eventHandlers=[{"name": name}])) == []) == valid, name


@pytest.mark.spec("IMG-063", "IMG-064")
def test_dependencies(vectors: Vectors, image: Build) -> None:
    assert vectors["Dependency"]["invalid"] == []
    for raw in vectors["Dependency"]["valid"]:
        manifest = decode_image_manifest(image(dependencies=[json.loads(raw)]))
        assert manifest.dependencies[0].image_id is None
        assert b'"dependencies":[{"imageName":"example.com/reduce-worker-base"}]' in encode_image_manifest(manifest)


def test_mount_point_texts(vectors: Vectors) -> None:
    for text in vectors["MountPoint"]["string_valid"]:
        mount_point = parse_mount_point(text)
        assert (mount_point.name, mount_point.path) == ("foobar", "/tmp")
        assert mount_point.read_only == text.endswith("readOnly=true")
    for text in vectors["MountPoint"]["string_invalid"]:
        with pytest.raises(InvalidValueError):
            parse_mount_point(text)


@pytest.mark.spec("IMG-052", "IMG-054")
def test_ports(vectors: Vectors, app_image: Build, find_problems: FindProblems) -> None:
    """The vectors are structs of the original, without the name and protocol that a manifest needs."""
    for key, valid in (("valid", True), ("invalid", False)):
        for port in vectors["Port"][key]:
            found = find_problems(app_image(ports=[{"name": "p", "protocol": "tcp", **port}]))
            assert (found == []) == valid, port
    overflow = {"name": "p", "protocol": "tcp", "port": 1, "count": (1 << 64) - 1}
    assert find_problems(app_image(ports=[overflow]))


def test_volume_texts(vectors: Vectors) -> None:
    group = vectors["Volume"]
    for text in group["string_valid"]:
        assert volume_text(parse_volume(text)) == text
    for text in group["string_invalid"]:
        with pytest.raises(InvalidValueError):
            parse_volume(text)
    empty = parse_volume("foobar,kind=empty")
    defaults = {"mode": f"{empty.mode:04o}", "uid": empty.uid, "gid": empty.gid}
    assert defaults == group["defaults"]["empty"]


@pytest.mark.spec("TYPE-028", "TYPE-029", "TYPE-030", "ISO-005", "ISO-010", "ISO-022", "ISO-027", "ISO-066")
def test_isolators(vectors: Vectors, app_image: Build, find_problems: FindProblems) -> None:
    group = vectors["Isolator"]
    for isolator in (*group["valid"], *group["unrecognized"]):
        assert find_problems(app_image(isolators=[isolator])) == [], isolator
    for isolator in group["invalid"]:
        assert find_problems(app_image(isolators=[isolator])), isolator
    for raw in (*group["json_invalid"], *group["go_panics"]):
        assert _is_rejected(_with_raw("app", f'{{"user":"0","group":"0","isolators":[{raw}]}}')), raw


def test_resource_values(vectors: Vectors) -> None:
    group = vectors["Isolator"]["resource_values"]
    cpu = decode_isolator_value(Isolator(name="resource/cpu", value={"request": "30m", "limit": "1m"}))
    expected = group["resource/cpu request 30m limit 1m"]
    assert cpu == Cpu(request_millicores=expected["milli_request"], limit_millicores=expected["milli_limit"])
    memory = decode_isolator_value(Isolator(name="resource/memory", value={"request": "1G", "limit": "2Gi"}))
    expected = group["resource/memory request 1G limit 2Gi"]
    assert memory == Memory(request_bytes=expected["request"], limit_bytes=expected["limit"])
    for request, limit in (("100M", "200M"), ("1", "2"), ("345", "6")):
        assert any(f"{request}/{limit}" in key for key in group)
        for name in ("resource/cpu", "resource/memory"):
            assert decode_isolator_value(Isolator(name=name, value={"request": request, "limit": limit})) is not None


_ISOLATORS: dict[str, Any] = {
    "resource/memory": {"name": "resource/memory", "value": {"limit": "1G"}},
    "capabilities-remove-set": {"name": "os/linux/capabilities-remove-set", "value": {"set": ["CAP_KILL"]}},
    "capabilities-retain-set": {"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_KILL"]}},
    "no-new-privileges": {"name": "os/linux/no-new-privileges", "value": True},
    "oom-score-adj": {"name": "os/linux/oom-score-adj", "value": 1},
    "cpu-shares": {"name": "os/linux/cpu-shares", "value": 100},
    "seccomp-remove-set": {"name": "os/linux/seccomp-remove-set", "value": {"set": ["reboot"]}},
    "seccomp-retain-set": {"name": "os/linux/seccomp-retain-set", "value": {"set": ["reboot"]}},
    "selinux-context": {
        "name": "os/linux/selinux-context",
        "value": {"user": "u", "role": "r", "type": "t", "level": "s0"},
    },
    "os/unix/sysctl": {"name": "os/unix/sysctl", "value": {}},
    "any unknown isolator": {"name": "example.com/unknown", "value": 1},
}


@pytest.mark.spec("IMG-039", "IMG-040", "ISO-015", "ISO-016", "ISO-017", "ISO-029", "ISO-037", "ISO-043", "ISO-045")
def test_isolator_sets(vectors: Vectors, app_image: Build, find_problems: FindProblems) -> None:
    group = vectors["IsolatorSetInApp"]
    for text in (*group["valid"], *group["invalid"]):
        words = text.replace(" (both orders)", "").strip("[]")
        if words.endswith(" x2"):
            isolators = [_ISOLATORS[words.removesuffix(" x2")]] * 2
        else:
            isolators = [_ISOLATORS[word] for word in words.split(" + ") if word]
        valid = text in group["valid"]
        if ("IsolatorSetInApp", text) in REJECTED_HERE or ("IsolatorSetInApp", text) in ACCEPTED_HERE:
            valid = not valid
        for each in (isolators, isolators[::-1]):
            assert (find_problems(app_image(isolators=each)) == []) == valid, text


@pytest.mark.spec("TYPE-051", "TYPE-052", "TYPE-053", "TYPE-054", "TYPE-056")
def test_quantities(vectors: Vectors) -> None:
    group = vectors["ResourceQuantity"]
    for text in group["valid"]:
        assert [find_quantity_problem(sign + text) for sign in ("", "+", "-")] == [None] * 3, text
        assert parse_quantity(f"-{text}").nano == -parse_quantity(text).nano
    assert all(find_quantity_problem(text) for text in group["invalid"])
    for text in ("-", "+", ".", "k", "Ki"):
        assert find_quantity_problem(text), "the original reads zero"
    families = {"DecimalSI": "decimal", "BinarySI": "binary", "DecimalExponent": "exponent"}
    for name, texts in group["valid_with_format"].items():
        assert all(parse_quantity(text).family == families[name] for text in texts), name


@pytest.mark.spec("TYPE-050", "TYPE-055", "TYPE-057", "TYPE-058")
def test_quantity_values(vectors: Vectors) -> None:
    group = vectors["ResourceQuantity"]
    for text, expected in group["numeric"].items():
        whole, _, fraction = str(expected).partition(".")
        assert parse_quantity(text).nano == int(whole + fraction.ljust(9, "0")), text
    for text, expected in group["rounding"].items():
        if "capped" in expected:
            assert parse_quantity(text).base == (1 << 63) - 1
        else:
            assert str(parse_quantity(text)) == expected.partition(" ")[0], text
    assert {text: str(parse_quantity(text)) for text in group["canonical"]} == group["canonical"]
    for first, second, expected in group["compare"]:
        assert parse_quantity(first).compare(parse_quantity(second)) == expected
    for text, power, expected, exact in group["round_up"]:
        rounded, was_exact = parse_quantity(text).round_up(power)
        assert (rounded.nano, was_exact) == (parse_quantity(expected).nano, exact)


@pytest.mark.spec("TYPE-059", "TYPE-060")
def test_quantities_in_json(vectors: Vectors) -> None:
    for raw, expected in vectors["ResourceQuantity"]["json_valid"].items():
        isolator = Isolator(name="resource/memory", value={"limit": json.loads(raw)})
        if expected.startswith("-"):
            with pytest.raises(ManifestError, match="must not be negative"):
                decode_isolator_value(isolator)
        else:
            assert decode_isolator_value(isolator) == Memory(request_bytes=int(expected), limit_bytes=int(expected))


@pytest.mark.spec("IMG-001", "IMG-002", "IMG-003", "TYPE-021")
def test_image_manifests(vectors: Vectors) -> None:
    group = vectors["ImageManifest"]
    for text in group["valid"]:
        assert encode_image_manifest(decode_image_manifest(text.encode())) == text.encode()
    for text in (*group["invalid"], *group["errors"]):
        assert _is_rejected(text.encode()) == (("ImageManifest", text) not in ACCEPTED_HERE), text


@pytest.mark.spec("POD-002", "POD-005", "POD-022")
def test_pod_manifests(vectors: Vectors, pod: Build, find_problems: FindProblems) -> None:
    group = vectors["PodManifest"]
    for text in (*group["invalid"], *group["errors"]):
        with pytest.raises(ManifestError):
            decode_pod_manifest(text.encode())
    assert group["valid"] == []
    for key, valid in (("valid_names", True), ("invalid_names", False)):
        for names in group["app_list"][key]:
            apps = [{"name": name, "image": {"id": "sha512-" + "0" * 128}} for name in names]
            assert (find_problems(pod(apps=apps)) == []) == valid


@pytest.mark.spec("DISC-034")
def test_app_references(vectors: Vectors) -> None:
    group = vectors["DiscoveryAppString"]
    for text, (name, labels) in group["parsed"].items():
        assert parse_app_reference(text) == (name, labels)
    for text in group["valid"]:
        parse_app_reference(text)
    for text in group["invalid"]:
        with pytest.raises(InvalidValueError):
            parse_app_reference(text)


def test_pairs(vectors: Vectors) -> None:
    """The original turned the pairs into a query string on its way; we compare what that says."""
    from urllib.parse import urlencode

    group = vectors["QueryString"]
    assert set(group["valid"]) == set(group["output"])
    for text, query in group["output"].items():
        assert urlencode(parse_pairs(text, kind="test")) == query
    for text in group["invalid"]:
        with pytest.raises(InvalidValueError):
            parse_pairs(text, kind="test")


def test_kind_of_a_broken_manifest(vectors: Vectors, image: Build, pod: Build) -> None:
    """The original's last-ditch parser: what cannot be decoded can still be told apart."""
    broken_image = {
        "empty manifest name and labels": image(name="", labels=[]),
        "empty label name and value": image(labels=[{"name": "", "value": ""}]),
        "invalid image name example.com/test!": image(name="example.com/test!"),
        "label names !n1 and N2~": image(labels=_named([["!n1", ""], ["N2~", ""]])),
        "duplicate labels": image(labels=_named([["a", ""], ["a", ""]])),
        "extra fields at any level": image(a=1, app={"b": 1}),
    }
    broken_pod = pod(apps=[{"name": "!", "image": {"name": "!!!", "id": "&&&"}}, {"name": ""}, {"name": ""}])
    assert len(vectors["LastDitch"]["valid"]) == len(broken_image) + 1
    for text, data in broken_image.items():
        assert text in vectors["LastDitch"]["valid"]
        assert decode_kind(data) == "ImageManifest"
    assert decode_kind(broken_pod) == "PodManifest"
    invalid = [image(acKind="Bogus"), b"<html>", b'{"acKind":"ImageManifest",}']
    assert len(vectors["LastDitch"]["invalid"]) == len(invalid)
    for data in invalid:
        with pytest.raises(ManifestError):
            decode_kind(data)


def _named(pairs: list[list[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _with_raw(member: str, raw: str) -> bytes:
    """An image manifest in which the JSON text of one member is ``raw``."""
    start = {"acKind": '"ImageManifest"', "acVersion": '"0.8.11"', "name": '"a"', member: raw}
    return ("{" + ",".join(f'"{name}":{text}' for name, text in start.items()) + "}").encode()


def _app_with_port(raw: str) -> str:
    return f'{{"user":"0","group":"0","ports":[{{"name":{raw},"protocol":"tcp","port":1}}]}}'


def _is_rejected(data: bytes) -> bool:
    try:
        decode_image_manifest(data)
    except ManifestError:
        return True
    return False
