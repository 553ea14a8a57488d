"""Errors that carry what a user needs."""

from __future__ import annotations

import errno
import os

import pytest

from rkt.errors import FAILURE, NotPermittedError, NotSupportedError, RktError, UsageError, reason


def test_error_is_its_message() -> None:
    error = RktError('cannot run "x": no such file', "create it")
    assert str(error) == error.message == 'cannot run "x": no such file'
    assert error.hint == "create it"


def test_hint_is_optional() -> None:
    assert RktError("broken").hint is None


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (RktError, "error"),
        (UsageError, "usage"),
        (NotPermittedError, "not-permitted"),
        (NotSupportedError, "not-supported"),
    ],
)
def test_kinds_have_codes_and_one_exit_status(kind: type[RktError], code: str) -> None:
    assert kind.code == code
    assert kind.exit_status == FAILURE == 254


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOENT, os.strerror(errno.ENOENT)), "no such file or directory"),
        (OSError(errno.EIO, "Input/output error", "/file"), "input/output error"),
        (OSError("no number"), "no number"),
        (ValueError("Bad Value"), "Bad Value"),
        (ValueError(), "ValueError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_reason_is_the_kernels_words_in_lower_case(error: BaseException, text: str) -> None:
    assert reason(error) == text
