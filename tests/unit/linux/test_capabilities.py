"""Names, masks, and the bounding set that is gone for good."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness.forked_child import run_in_child

from rkt.linux import capabilities, syscalls


def field(name: str) -> int:
    """A mask of /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")), 16)


def test_names_are_in_the_order_of_the_kernel() -> None:
    numbers = {"CAP_CHOWN": 0, "CAP_SETPCAP": 8, "CAP_SYS_ADMIN": 21, "CAP_SYSLOG": 34, "CAP_CHECKPOINT_RESTORE": 40}
    assert {name: capabilities.NAMES.index(name) for name in numbers} == numbers
    assert capabilities.mask_of(("CAP_SYS_ADMIN",)) == capabilities.SYS_ADMIN


@pytest.mark.spec("ISO-033")
def test_default_set_is_exactly_the_fourteen() -> None:
    assert len(capabilities.DEFAULT) == 14
    assert capabilities.mask_of(capabilities.DEFAULT) == 0xA80425FB


def test_masks_and_names_are_inverse() -> None:
    for mask in (0, 1, 0xA80425FB, (1 << len(capabilities.NAMES)) - 1):
        assert capabilities.mask_of(capabilities.names_of(mask)) == mask


@pytest.mark.parametrize("name", ["CAP_PONIES", "cap_chown", "", "CHOWN"])
def test_name_that_the_kernel_does_not_have_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}$"):
        capabilities.mask_of(("CAP_CHOWN", name))


@pytest.mark.root
@pytest.mark.parametrize("names", [capabilities.DEFAULT, (), ("CAP_NET_ADMIN",), capabilities.NAMES])
def test_bounding_set_becomes_what_is_in_the_mask(names: tuple[str, ...]) -> None:
    mask = capabilities.mask_of(names)
    before = field("CapBnd")

    def body() -> tuple[int, int, int]:
        syscalls.capset(effective=before, permitted=before, inheritable=before)
        capabilities.limit_bounding_set(mask)
        return field("CapBnd"), field("CapInh"), field("CapAmb")

    assert run_in_child(body) == (mask & before, 0, 0)


@pytest.mark.root
def test_caller_keeps_its_own_capabilities_until_execve(fixture_images: Path) -> None:
    import json

    mask = capabilities.mask_of(("CAP_KILL",))
    probe = str(fixture_images / "probe/probe")

    def body() -> tuple[bool, str]:
        before = field("CapEff")
        capabilities.limit_bounding_set(mask)
        kept = field("CapEff") == before
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.dup2(writer, 1)
            os.execv(probe, [probe, "caps"])
        os.close(writer)
        os.wait()
        return kept, os.read(reader, 4096).decode()

    kept, told = run_in_child(body)
    assert kept
    caps = json.loads(told)["caps"]
    assert {int(caps[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {mask}


@pytest.mark.root
def test_dropping_needs_the_right() -> None:
    def body() -> int:
        syscalls.capset(effective=0, permitted=0, inheritable=0)
        before = field("CapBnd")
        try:
            capabilities.limit_bounding_set(0)
        except OSError:
            return -1
        return int(field("CapBnd") != before)

    assert run_in_child(body) == -1, "a bounding set that stays must not look dropped"
