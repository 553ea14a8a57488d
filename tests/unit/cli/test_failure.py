"""Exceptions become lines and an exit status."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rkt import diagnostics
from rkt.cli.failure import report_failure
from rkt.errors import RktError


@pytest.fixture(autouse=True)
def prefix() -> Iterator[None]:
    diagnostics.configure(prefix="run", debug=False)
    yield
    diagnostics.configure(prefix="rkt", debug=False)


class StrangeError(RktError):
    exit_status = 7


def chained() -> BaseException:
    try:
        try:
            try:
                open("/nonexistent/file").close()
            except OSError as error:
                raise RktError("read the middle") from error
        except RktError as error:
            raise RktError("prepare the pod", "make it") from error
    except RktError as error:
        return error
    raise AssertionError("nothing was raised")


def test_message_and_innermost_cause_are_one_line_and_the_hint_another(capfd: pytest.CaptureFixture[str]) -> None:
    assert report_failure(chained()) == 254
    assert capfd.readouterr().err == (
        'run: prepare the pod: "/nonexistent/file": no such file or directory\nrun: hint: make it\n'
    )


def test_debug_shows_every_cause(capfd: pytest.CaptureFixture[str]) -> None:
    diagnostics.configure(prefix="run", debug=True)
    report_failure(chained())
    assert capfd.readouterr().err.splitlines()[:3] == [
        "run: prepare the pod",
        "run: └─read the middle",
        'run:   └─"/nonexistent/file": no such file or directory',
    ]


def test_cause_that_the_message_names_already_is_not_repeated(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            open("/nonexistent/file").close()
        except OSError as error:
            raise RktError('read "x": no such file or directory') from error
    except RktError as error:
        report_failure(error)
    assert capfd.readouterr().err == 'run: read "x": no such file or directory\n'


def test_error_decides_the_exit_status() -> None:
    assert report_failure(StrangeError("strange")) == 7


def test_kernel_error_that_nobody_explained_still_names_its_object(capfd: pytest.CaptureFixture[str]) -> None:
    assert report_failure(OSError(28, "No space left on device", "/data")) == 254
    assert capfd.readouterr().err == 'run: "/data": no space left on device\n'


def test_bug_is_an_internal_error_without_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    assert report_failure(ValueError("oops")) == 254
    assert capfd.readouterr().err == (
        "run: internal error: ValueError: oops\nrun: hint: run it again with --debug and report what it prints\n"
    )


def test_bug_has_its_traceback_with_debug(capfd: pytest.CaptureFixture[str]) -> None:
    diagnostics.configure(prefix="run", debug=True)
    try:
        raise ValueError("oops")
    except ValueError as error:
        report_failure(error)
    assert "test_failure.py" in capfd.readouterr().err


def test_message_cannot_steer_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    report_failure(RktError("bad \x1b[2J name\r"))
    assert capfd.readouterr().err == "run: bad \\x1b[2J name\\x0d\n"


def test_interrupt_and_closed_pipe_end_as_a_shell_expects(capfd: pytest.CaptureFixture[str]) -> None:
    assert report_failure(KeyboardInterrupt()) == 130
    assert capfd.readouterr().err == "run: interrupted\n"
    assert report_failure(BrokenPipeError()) == 141
    assert capfd.readouterr().err == ""
