"""What a hostile document can cost: time and memory are bounded by its size, also where it is all structure."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from rkt.schema.json_reader import SIZE_LIMIT, VALUES_LIMIT, decode_json
from rkt.schema.problems import ManifestError

DENSE = {"objects": b"{}", "lists": b"[]", "numbers": b"1.5", "texts": b'"\xc3\xa9"', "pairs": b'{"":[]}'}


@pytest.mark.parametrize("kind", DENSE)
def test_a_document_that_is_all_structure_is_refused_at_once(kind: str) -> None:
    item = DENSE[kind]
    data = b"[" + b",".join([item] * (SIZE_LIMIT // (len(item) + 1) - 1)) + b"]"
    started = time.process_time()
    with pytest.raises(ManifestError, match="values"):
        decode_json(data, source="test")
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("kind", DENSE)
def test_the_densest_document_that_is_read_takes_little_memory(kind: str) -> None:
    count = VALUES_LIMIT // (1 + DENSE[kind].count(b"[") + DENSE[kind].count(b"{")) - 1
    script = (
        "import resource, sys\n"
        "from rkt.schema.json_reader import decode_json\n"
        f"data = b'[' + b','.join([{DENSE[kind]!r}] * {count}) + b']'\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "decode_json(data, source='test')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    used = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert int(used) < 64 << 10


def test_problems_of_members_far_inside_have_their_path_and_their_order() -> None:
    data = rb'{"a":[{"b":{"x":1,"x":2}},"\ud800",[["\udc00"]]],"\ud801":{},"c":{"d":1,"d":{"e":"\udfff"}}}'
    with pytest.raises(ManifestError) as caught:
        decode_json(data, source="test")
    assert [(problem.path, problem.message.split()[0]) for problem in caught.value.problems] == [
        ("", "a"),
        ("a[0].b.x", "is"),
        ("a[1]", "holds"),
        ("a[2][0][0]", "holds"),
        ("c.d", "is"),
        ("c.d.e", "holds"),
    ]
