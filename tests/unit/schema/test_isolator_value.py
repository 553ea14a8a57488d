from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rkt.schema.isolator import Isolator
from rkt.schema.isolator_value import (
    Capabilities,
    Cpu,
    CpuShares,
    Memory,
    NoNewPrivileges,
    OomScoreAdjustment,
    Rate,
    Seccomp,
    SelinuxContext,
    Sysctl,
    decode_isolator_value,
)
from rkt.schema.json_reader import JSONNumber
from rkt.schema.problems import ManifestError
from rkt.schema.value import Value

if TYPE_CHECKING:
    from rkt.schema.json_reader import JSON

MAX = (1 << 63) - 1
SELINUX: dict[str, JSON] = {"user": "u", "role": "r", "type": "t", "level": "s0:c1"}


@pytest.mark.spec("ISO-040", "ISO-043", "ISO-045", "ISO-049", "ISO-065", "ISO-066", "TYPE-059")
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("resource/memory", {"limit": "1G"}, Memory(request_bytes=10**9, limit_bytes=10**9)),
        ("resource/memory", {"request": " 1Ki "}, Memory(request_bytes=1024, limit_bytes=None)),
        ("resource/memory", {"LIMIT": 7, "request": 0}, Memory(request_bytes=0, limit_bytes=7)),
        ("resource/memory", {"limit": "16E"}, Memory(request_bytes=MAX, limit_bytes=MAX)),
        ("resource/memory", {"limit": None}, Memory(request_bytes=None, limit_bytes=None)),
        ("resource/memory", {"default": False}, Memory(request_bytes=None, limit_bytes=None)),
        ("resource/cpu", {}, Cpu(request_millicores=None, limit_millicores=None)),
        ("resource/cpu", {"limit": JSONNumber("0.5")}, Cpu(request_millicores=500, limit_millicores=500)),
        (
            "resource/block-bandwidth",
            {"default": True, "limit": "2M"},
            Rate(name="resource/block-bandwidth", limit_per_second=2_000_000),
        ),
        ("resource/block-iops", {"default": True}, Rate(name="resource/block-iops", limit_per_second=None)),
        (
            "resource/network-bandwidth",
            {"default": True, "limit": "1", "request": None},
            Rate(name="resource/network-bandwidth", limit_per_second=1),
        ),
        (
            "os/linux/capabilities-retain-set",
            {"set": ["CAP_PONIES", ""]},
            Capabilities(capabilities=("CAP_PONIES", ""), retain=True),
        ),
        (
            "os/linux/capabilities-remove-set",
            {"set": ["CAP_KILL"]},
            Capabilities(capabilities=("CAP_KILL",), retain=False),
        ),
        (
            "os/linux/seccomp-remove-set",
            {"set": ["reboot", "@rkt/x"], "errno": "EACCESS"},
            Seccomp(syscalls=("reboot", "@rkt/x"), errno="EACCESS", retain=False),
        ),
        (
            "os/linux/seccomp-retain-set",
            {"set": ["@appc.io/all"]},
            Seccomp(syscalls=("@appc.io/all",), errno="", retain=True),
        ),
        ("os/linux/no-new-privileges", True, NoNewPrivileges(enabled=True)),
        ("os/linux/oom-score-adj", -1000, OomScoreAdjustment(adjustment=-1000)),
        ("os/linux/cpu-shares", 262144, CpuShares(shares=262144)),
        ("os/unix/sysctl", {"b": "", "a": "1"}, Sysctl(settings=(("a", "1"), ("b", "")))),
        ("os/linux/selinux-context", SELINUX, SelinuxContext(user="u", role="r", type="t", level="s0:c1")),
        ("example.com/x", None, None),
    ],
)
def test_typed_values(name: str, value: JSON, expected: Value | None) -> None:
    assert decode_isolator_value(Isolator(name=name, value=value)) == expected


@pytest.mark.spec("ISO-005", "ISO-009", "ISO-010", "ISO-021", "ISO-022", "ISO-027", "ISO-038", "ISO-040", "ISO-043")
@pytest.mark.spec("ISO-045", "ISO-051", "ISO-052", "ISO-054", "ISO-055", "ISO-058", "ISO-061", "ISO-062", "ISO-063")
@pytest.mark.spec("ISO-066", "TYPE-059", "TYPE-060")
@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("resource/memory", [], "value: must be a JSON object, not a list"),
        ("resource/memory", {"default": True}, "value.default: must not be true"),
        ("resource/cpu", {"default": True}, "value.default: must not be true"),
        ("resource/memory", {"limit": "-1"}, "value.limit: must not be negative"),
        ("resource/memory", {"limit": ""}, "value.limit: must be a number with an optional suffix"),
        ("resource/memory", {"limit": True}, "value.limit: must be a quantity, not a boolean"),
        ("resource/memory", {"request": ["1"]}, "value.request: must be a quantity, not a list"),
        ("resource/memory", {"limit": "1e999999999"}, "value.limit: has an exponent that is too large"),
        ("resource/memory", {"limit": JSONNumber("1e999999999")}, "value.limit: has an exponent that is too large"),
        ("resource/memory", {"limit": "٣"}, "value.limit: must be a number"),
        ("resource/memory", {"limit": "1", "Limit": "2"}, "value.limit: is given more than once, in different case"),
        ("resource/block-bandwidth", {"limit": "1"}, "value.default: must be true"),
        ("resource/block-iops", {"default": False}, "value.default: must be true"),
        ("resource/block-iops", {"default": 1}, "value.default: must be true"),
        ("resource/block-iops", {"default": True, "request": "1"}, "value.request: is not supported"),
        ("resource/block-bandwidth", {"default": True, "request": "1"}, "value.request: is not supported"),
        ("resource/network-bandwidth", {"default": True, "request": "1"}, "value.request: is not supported"),
        ("resource/network-bandwidth", {}, "value.default: must be true"),
        ("os/linux/capabilities-retain-set", {"set": []}, "value.set: must not be empty"),
        ("os/linux/capabilities-remove-set", {}, "value.set: is required"),
        ("os/linux/capabilities-remove-set", {"set": ["A", 1]}, "value.set[1]: must be a string, not a number"),
        ("os/linux/seccomp-remove-set", {"set": []}, "value.set: must not be empty"),
        ("os/linux/seccomp-retain-set", {"set": []}, "value.set: must not be empty"),
        ("os/linux/seccomp-retain-set", {"set": ["a"], "errno": "eperm"}, "value.errno: must start with E"),
        ("os/linux/seccomp-retain-set", {"set": ["a"], "errno": "E-1"}, "value.errno: must start with E"),
        ("os/linux/seccomp-retain-set", {"set": ["@appc.io/other"]}, "value.set[0]: is in the scope @appc.io/"),
        ("os/linux/no-new-privileges", 1, "value: must be true or false, not a number"),
        ("os/linux/oom-score-adj", 1001, "value: must be in the range -1000 to 1000"),
        ("os/linux/oom-score-adj", True, "value: must be an integer, not a boolean"),
        ("os/linux/oom-score-adj", JSONNumber("1.0"), "value: must be an integer in the range -1000 to 1000"),
        ("os/linux/cpu-shares", 1, "value: must be in the range 2 to 262144"),
        ("os/unix/sysctl", {"a": 1}, "value.a: must be a string, not a number"),
        ("os/unix/sysctl", [], "value: must be a JSON object, not a list"),
        ("os/linux/selinux-context", {**SELINUX, "user": "a:b"}, 'value.user: must not contain ":"'),
        ("os/linux/selinux-context", {**SELINUX, "level": ""}, "value.level: must not be empty"),
        ("os/linux/selinux-context", {**SELINUX, "type": None}, "value.type: is required"),
        ("os/linux/cpu-shares", None, "value: is required"),
    ],
)
def test_bad_values(name: str, value: JSON, problem: str) -> None:
    with pytest.raises(ManifestError) as caught:
        decode_isolator_value(Isolator(name=name, value=value))
    (found,) = caught.value.problems
    assert str(found).startswith(problem)


@pytest.mark.spec("ISO-027")
def test_an_selinux_context_prints_as_a_label() -> None:
    assert str(decode_isolator_value(Isolator(name="os/linux/selinux-context", value=SELINUX))) == "u:r:t:s0:c1"
