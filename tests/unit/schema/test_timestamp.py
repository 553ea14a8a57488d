from __future__ import annotations

import pytest

from rkt.schema.timestamp import find_timestamp_problem


@pytest.mark.spec("TYPE-033", "TYPE-036")
@pytest.mark.parametrize(
    "text",
    [
        "2014-10-27T19:32:27.67021798Z",
        "2014-10-27T19:32:27.000000000000000000001+05:30",
        "2016-02-29T00:00:00Z",
        "2000-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "2016-12-31T15:59:60-08:00",
    ],
)
def test_date_times(text: str) -> None:
    assert find_timestamp_problem(text) is None


@pytest.mark.spec("TYPE-034", "TYPE-035")
@pytest.mark.parametrize(
    "text",
    [
        *("", "Z", "2014-10-27", "2014-10-27T19:32:27", "2014-10-27 19:32:27Z", "2014-10-27t19:32:27z"),
        *("2014-10-27T19:32:27+0000", "2014-10-27T24:00:00Z", "2014-02-30T00:00:00Z", "1900-02-29T00:00:00Z"),
        *("2014-13-01T00:00:00Z", "2014-00-01T00:00:00Z", "2014-01-00T00:00:00Z", "2014-10-27T19:60:27Z"),
        *("2014-10-27T19:32:61Z", "2014-10-27T19:32:60Z", "2014-10-27T19:32:27.Z", "2014-10-27T19:32:27.5"),
        *("2014-10-27T19:32:27+24:00", "2014-10-27T19:32:27+01:60", "2014-10-27T19:32:27Z\n"),
        *("\uff12014-10-27T19:32:27Z", "2014-10-27T19:32:27.٣Z", "-014-10-27T19:32:27Z", "2014-10-27T+9:32:27Z"),
    ],
)
def test_what_is_not_a_date_time(text: str) -> None:
    assert find_timestamp_problem(text) is not None
