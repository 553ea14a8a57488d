"""Three escape characters within a second end an interactive pod, and nothing else does."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rkt.stage1.native.terminal_relay import EscapeDetector

ESCAPE = b"\x1d"

#: what is typed, and how many seconds after the one before
strokes = st.lists(
    st.tuples(
        st.one_of(st.just(ESCAPE), st.sampled_from((ESCAPE * 2, b"x", b"", b"\x1b", ESCAPE + b"x", b"x" + ESCAPE))),
        st.sampled_from((0.0, 0.1, 0.4, 0.5, 0.75, 1.25)),
    ),
    max_size=12,
)


def should_escape(typed: list[tuple[int, float]]) -> bool:
    """The rule, on single characters with their times: three in a row, the last within a second of the first."""
    return any(
        all(byte == ESCAPE[0] for byte, _ in three) and three[2][1] - three[0][1] <= 1.0
        for three in zip(typed, typed[1:], typed[2:], strict=False)
    )


@given(strokes=strokes)
@example(strokes=[(ESCAPE * 3, 0.0)])
@example(strokes=[(ESCAPE, 0.0), (ESCAPE, 0.5), (ESCAPE, 0.5)])
@example(strokes=[(ESCAPE, 0.0), (ESCAPE, 0.5), (ESCAPE, 0.75), (ESCAPE, 0.1)])
def test_detector_follows_the_rule(strokes: list[tuple[bytes, float]]) -> None:
    times = itertools.accumulate(pause for _, pause in strokes)
    detector = EscapeDetector()
    typed: list[tuple[int, float]] = []
    for (data, _), now in zip(strokes, times, strict=True):
        typed += [(byte, now) for byte in data]
        escaped = detector.feed(data, now)
        assert escaped == should_escape(typed)
        if escaped:
            break


@pytest.mark.parametrize(
    ("strokes", "escapes"),
    [
        ([(ESCAPE, 0.0), (ESCAPE, 0.3), (ESCAPE, 0.6)], True),
        ([(ESCAPE, 0.0), (ESCAPE, 0.5), (ESCAPE, 1.0)], True),
        ([(ESCAPE, 0.0), (ESCAPE, 0.5), (ESCAPE, 1.1)], False),
        # the fourth is within a second of the second
        ([(ESCAPE, 0.0), (ESCAPE, 0.5), (ESCAPE, 1.1), (ESCAPE, 1.4)], True),
        ([(ESCAPE, 0.0), (b"x", 0.1), (ESCAPE, 0.2), (ESCAPE, 0.3)], False),
        ([(ESCAPE, 0.0), (b"x" + ESCAPE, 0.1), (ESCAPE, 0.2), (ESCAPE, 0.3)], True),
        ([(ESCAPE * 2, 0.0)], False),
        ([(b"x" + ESCAPE * 3 + b"x", 0.0)], True),
        ([(b"]]]", 0.0), (b"\x1b\x1b\x1b", 0.1)], False),
    ],
)
def test_escapes_of_a_typist(strokes: list[tuple[bytes, float]], escapes: bool) -> None:
    detector = EscapeDetector()
    told = [detector.feed(data, now) for data, now in strokes]
    assert any(told) is escapes
