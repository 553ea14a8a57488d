"""Signals that come at odd moments or from odd senders, and groups of control that a killed start leaves."""

from __future__ import annotations

import os
import signal
import time

import pytest
from harness.native_pod import NativePod

from rkt.linux.cgroups import PodCgroup, find_hierarchies
from rkt.stage1.native import entrypoint


def _ignore_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_pod_under_nohup_survives_a_hangup(pod: NativePod) -> None:
    pod.add_app("web", "print-out", "ready", "+", "sleep", "1", "+", "print-out", "still here")
    with pod.start(before=_ignore_hangup) as running:
        running.wait_for_output(b"ready")
        running.signal(signal.SIGHUP)
        assert running.wait().checked().stdout.endswith(b"still here\n")


def test_hangup_that_comes_twice_is_still_patient(pod: NativePod) -> None:
    """A terminal that goes away sends it, and so does the shell in it."""
    pod.add_app("web", "signals", "60", "+", "sleep", "0.5", "+", "print-out", "ended in order")
    with pod.start() as running:
        running.wait_for_output(b'"ready"')
        running.signal(signal.SIGHUP)
        time.sleep(0.1)
        running.signal(signal.SIGHUP)
        assert running.wait().checked().stdout.endswith(b"ended in order\n")


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGQUIT, signal.SIGWINCH])
def test_init_does_not_take_the_signals_of_an_app_for_orders(pod: NativePod, number: int) -> None:
    pod.add_app("web", "kill", "1", str(int(number)), "+", "sleep", "0.3", "+", "print-out", "still here")
    assert pod.run().checked().stdout.endswith(b"still here\n")


def test_post_stop_that_hangs_is_killed_with_the_second_request(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0", post_stop=["print-out", "post-stop", "+", "sleep", "60"])
    with pod.start() as running:
        running.wait_for_output(b"post-stop")
        running.signal(signal.SIGTERM)
        time.sleep(0.2)
        running.signal(signal.SIGTERM)
        # the app itself had ended well
        running.wait(8.0).checked(0)


def test_signal_while_the_groups_are_made_leaves_none_of_them(pod: NativePod, monkeypatch: pytest.MonkeyPatch) -> None:
    create = PodCgroup.create

    def create_slowly(group: PodCgroup, apps: tuple[str, ...]) -> None:
        create(group, apps)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(PodCgroup, "create", create_slowly)
    pod.add_app("web", "sleep", "60")
    pod.run().checked(143)
    assert pod.leftovers() == []


def test_garbage_collection_finds_the_groups_of_a_pod_that_was_killed_before_it_noted_them(pod: NativePod) -> None:
    PodCgroup.of_pod(pod.uuid, find_hierarchies()).create(("web",))
    assert pod.leftovers()
    entrypoint.collect_garbage(str(pod.path))
    assert pod.leftovers() == []
