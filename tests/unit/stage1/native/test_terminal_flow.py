"""Terminals through which more goes than one side reads: nobody is stuck for ever, and a request to end is heard."""

from __future__ import annotations

import os
import signal
import time

from harness.native_pod import NativePod

#: more than a pseudo-terminal holds
_MUCH = 200_000


def _type_without_end() -> None:
    reader, writer = os.pipe()
    os.dup2(reader, 0)
    if os.fork() == 0:
        try:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.close(0)
            os.close(reader)
            while True:
                os.write(writer, b"line\n" * 1000)
        finally:
            os._exit(0)


def test_console_that_is_opened_again_and_again_is_drained(pod: NativePod) -> None:
    line = "x" * 4000
    writes = [word for _ in range(40) for word in ("write", "/dev/console", line, "+", "sleep", "0.01", "+")]
    pod.add_app("web", *writes, "print-out", "done")
    assert pod.run(timeout_seconds=15.0).checked().stdout == b"done\n"


def test_post_stop_of_an_interactive_pod_has_the_terminal(pod: NativePod) -> None:
    pod.add_app("web", "print-out", "main", post_stop=["flood", str(_MUCH), "+", "print-out", "post-stop"])
    outcome = pod.run(interactive=True, timeout_seconds=15.0).checked()
    assert outcome.stdout.startswith(b"main\r\n")
    assert outcome.stdout.endswith(b"post-stop\r\n")
    assert len(outcome.stdout) > _MUCH


def test_input_that_no_app_reads_does_not_keep_rkt_from_listening(pod: NativePod) -> None:
    pod.add_app("web", "print-out", "ready", "+", "sleep", "60")
    with pod.start(interactive=True, before=_type_without_end) as running:
        running.wait_for_output(b"ready")
        time.sleep(0.5)
        running.signal(signal.SIGTERM)
        running.wait(5.0).checked(143)


def test_app_that_echoes_more_than_a_terminal_holds_gets_all_of_it(pod: NativePod) -> None:
    """Input and output wait for each other unless both are served."""

    def give_input() -> None:
        path = pod.data / "input"
        path.write_bytes(b"0123456789abcdef\n" * 20_000)
        os.dup2(os.open(path, os.O_RDONLY), 0)

    pod.add_app("web", "copy-in")
    outcome = pod.run(interactive=True, before=give_input).checked()
    # what the app wrote; the terminal's own echo comes on top, of which it drops what it has no room for
    assert len(outcome.stdout) > 20_000 * len(b"0123456789abcdef\r\n")
