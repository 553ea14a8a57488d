"""Apps that end while the pod starts: before the init has looked at them, before the others, before their main process.

The init is kept busy by many apps, so that what may happen on a busy machine happens here.
"""

from __future__ import annotations

import signal

from harness.native_pod import NativePod, wait_until

#: forking this many apps takes much longer than a pre-start handler that fails
_MANY = 40


def test_pre_start_that_fails_before_the_init_has_looked_is_explained(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0", pre_start=["exit", "3"])
    for number in range(_MANY):
        pod.add_app(f"other-{number}", "exit", "0")
    outcome = pod.run().checked(3)
    assert outcome.stderr == b'run: pre-start handler of app "web" ended with status 3\n'


def test_pre_start_that_cannot_be_executed_is_explained_in_lines(pod: NativePod) -> None:
    handlers = [{"name": "pre-start", "exec": ["/bin/missing"]}]
    pod.add_app("web", "exit", "0", eventHandlers=handlers)
    first, second = pod.run().checked(254).stderr.splitlines()
    assert first.startswith(b'run: cannot execute "/bin/missing" of app "web": no such file or directory')
    assert second == b'run: pre-start handler of app "web" ended with status 254'


def test_post_stop_does_not_run_for_an_app_that_never_started(pod: NativePod) -> None:
    pod.add_app("web", "exit", "0", pre_start=["sleep", "0.3", "+", "exit", "3"])
    pod.add_app("db", "exit", "0", post_stop=["print-out", "post-stop of db"])
    assert pod.run().checked(3).stdout == b""


def test_pod_is_ready_when_apps_end_faster_than_the_init_looks(pod: NativePod) -> None:
    for number in range(10):
        pod.add_app(f"job-{number}", "exit", "0")
    pod.add_app("web", "sleep", "60")
    ready = pod.rootfs / "rkt/supervisor-status"
    with pod.start() as running:
        wait_until(ready.is_symlink, 10.0)
        running.signal(signal.SIGTERM)
        running.wait().checked(143)


def test_pod_with_an_app_that_cannot_start_is_never_ready(pod: NativePod) -> None:
    pod.add_app("bad", exec=["/bin/missing"])
    pod.add_app("web", "sleep", "60")
    pod.run().checked(254)
    assert not (pod.rootfs / "rkt/supervisor-status").is_symlink()


def test_app_killed_while_it_waits_for_the_others_ends_the_pod(pod: NativePod) -> None:
    # the second process of the pod is the one that waits to become web
    pod.add_app("web", "exit", "0")
    pod.add_app("db", "exit", "0", pre_start=["try", "kill", "2", "9"])
    pod.run().checked(137)


def test_exit_status_that_cannot_be_recorded_harms_no_other_app(pod: NativePod) -> None:
    (pod.rootfs / "rkt/status/web").mkdir()
    pod.add_app("web", "exit", "0")
    pod.add_app("db", "sleep", "0.5", "+", "print-out", "db went on")
    outcome = pod.run().checked()
    assert outcome.stdout == b"db went on\n"
    assert outcome.stderr.startswith(b'run: cannot record the exit status of app "web": ')
    assert pod.status_of("db") == "0\n"
