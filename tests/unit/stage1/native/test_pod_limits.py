"""Limits of the host and of the kernel that a pod runs into, and faults that nobody thought of: each is told."""

from __future__ import annotations

import resource

import pytest
from harness.native_pod import NativePod

from rkt.linux.mounts import MountError, plan_overlay
from rkt.stage1.native import init


def test_pod_of_many_apps_needs_no_higher_soft_limit_of_descriptors(pod: NativePod) -> None:
    for number in range(20):
        pod.add_app(f"app-{number}", "exit", "0")
    pod.run(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 4096))).checked()


def test_hard_limit_of_descriptors_that_is_too_low_is_named(pod: NativePod) -> None:
    for number in range(20):
        pod.add_app(f"app-{number}", "exit", "0")
    outcome = pod.run(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))).checked(254)
    assert outcome.stderr.endswith(b"too many open files\n")


def test_soft_limit_of_an_app_is_not_raised_above_the_usual(pod: NativePod) -> None:
    for number in range(20):
        pod.add_app(f"app-{number}", "exit", "0")
    pod.add_app("web", "rlimits")
    outcome = pod.run(before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 4096))).checked()
    soft, hard = outcome.facts["rlimits"]["nofile"]
    assert soft <= 1024
    assert hard == 4096


def test_overlay_whose_options_the_kernel_would_cut_is_refused() -> None:
    step = plan_overlay("/nowhere", lower="/l" * 900, upper="/u" * 900, work="/w" * 900)
    with pytest.raises(MountError, match="5428 bytes, and the kernel takes 4095"):
        step.apply()


def test_fault_in_the_init_is_not_silent(pod: NativePod, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ValueError("an unlikely value")

    monkeypatch.setattr(init, "bring_up_loopback", fail)
    pod.add_app("web", "exit", "0")
    outcome = pod.run().checked(254)
    assert outcome.stderr == b"run: internal error in the pod's init: ValueError: an unlikely value\n"
