from __future__ import annotations

from collections.abc import Callable

import pytest

from rkt.schema.pod import decode_pod_manifest, encode_pod_manifest

Build = Callable[..., bytes]
FindProblems = Callable[[bytes], list[str]]

HOST = {"name": "v", "kind": "host", "source": "/s"}
EMPTY = {"name": "v", "kind": "empty"}


@pytest.mark.spec("POD-021", "POD-023", "POD-024", "POD-025", "POD-026", "POD-027", "POD-029", "POD-030", "POD-031")
@pytest.mark.spec("POD-032")
@pytest.mark.parametrize(
    ("volume", "problem"),
    [
        ({**EMPTY, "name": None}, "name: is required"),
        ({**EMPTY, "name": "a.b"}, "name: may contain only"),
        ({**EMPTY, "kind": None}, "kind: is required"),
        ({**EMPTY, "kind": "Host"}, 'kind: must be "empty" or "host", not "Host"'),
        ({**HOST, "source": None}, "source: is required for a volume of kind host"),
        ({**HOST, "source": ""}, "source: must not be empty"),
        ({**HOST, "source": "s"}, "source: must be an absolute path"),
        ({**HOST, "source": "/s\0"}, "source: must not contain a NUL character"),
        ({**HOST, "source": 1}, "source: must be a string, not a number"),
        ({**HOST, "mode": "0755"}, "mode: is only for volumes of kind empty"),
        ({**HOST, "uid": 0}, "uid: is only for volumes of kind empty"),
        ({**HOST, "gid": 0}, "gid: is only for volumes of kind empty"),
        ({**EMPTY, "source": "/s"}, "source: must be empty for a volume of kind empty"),
        ({**EMPTY, "mode": 755}, "mode: must be a string, not a number"),
        ({**EMPTY, "mode": "0o755"}, "mode: must be an octal number such as 0755"),
        ({**EMPTY, "mode": "0789"}, "mode: must be an octal number such as 0755"),
        ({**EMPTY, "mode": "10000"}, "mode: must be at most 07777"),
        ({**EMPTY, "mode": ""}, "mode: must be an octal number such as 0755"),
        ({**EMPTY, "uid": "root"}, "uid: must be an integer, not a string"),
        ({**EMPTY, "uid": -1}, "uid: must be in the range"),
        ({**EMPTY, "gid": True}, "gid: must be an integer, not a boolean"),
        ({**HOST, "readOnly": "yes"}, "readOnly: must be true or false"),
        ({**HOST, "recursive": 0}, "recursive: must be true or false"),
        (1, "must be a JSON object, not a number"),
    ],
)
def test_bad_volumes(pod: Build, find_problems: FindProblems, volume: object, problem: str) -> None:
    (found,) = find_problems(pod(volumes=[volume]))
    assert found.removeprefix("volumes[0]").lstrip(".: ").startswith(problem)


@pytest.mark.spec("POD-020", "POD-025", "POD-026", "POD-027", "POD-029", "POD-030", "POD-031", "POD-054")
def test_good_volumes(pod: Build) -> None:
    volumes = [
        {**HOST, "name": "h", "readOnly": False, "recursive": True},
        {**EMPTY, "name": "e", "source": "", "recursive": False},
        {**EMPTY, "name": "m", "mode": "1777", "uid": 1, "gid": 2},
    ]
    manifest = decode_pod_manifest(pod(volumes=volumes))
    host, empty, owned = manifest.volumes
    assert (host.source, host.read_only, host.recursive, host.mode, host.uid) == ("/s", False, True, None, None)
    assert (empty.read_only, empty.recursive, empty.mode, empty.uid, empty.gid) == (None, False, 0o755, 0, 0)
    assert (owned.mode, owned.uid, owned.gid) == (0o1777, 1, 2)
    encoded = encode_pod_manifest(manifest)
    assert (
        b'"volumes":[{"name":"h","kind":"host","source":"/s","readOnly":false,"recursive":true},'
        b'{"name":"e","kind":"empty","recursive":false,"mode":"0755","uid":0,"gid":0},'
        b'{"name":"m","kind":"empty","mode":"1777","uid":1,"gid":2}]'
    ) in encoded
    assert decode_pod_manifest(encoded) == manifest


@pytest.mark.spec("POD-022")
def test_volume_names_are_unique(pod: Build, find_problems: FindProblems) -> None:
    assert find_problems(pod(volumes=[HOST, EMPTY])) == ['volumes[1].name: "v" is given more than once']
