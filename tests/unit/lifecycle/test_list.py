"""rkt.lifecycle.list"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness.pod_factory import IMAGE_ID, PodFactory

from rkt.errors import RktError
from rkt.lifecycle.list import format_errors, format_rows, legend, load_listing
from rkt.lifecycle.summary import AppSummary, PodSummary
from rkt.paths import DataDirectory
from rkt.pod.network_info import NetworkInfo
from rkt.pod.uuid import new_uuid

UUID = "6733c088-a507-4694-aabf-edbe4fc5266f"
POD = PodSummary(
    uuid=UUID,
    state="running",
    created_ns=1,
    started_ns=2,
    networks=(NetworkInfo(name="default", ip="10.0.0.2"), NetworkInfo(name="b", ip="10.0.1.2")),
    has_manifest=True,
    apps=(
        AppSummary(name="web", image_name="example.com/web:1", image_id=IMAGE_ID),
        AppSummary(name="db", image_id=IMAGE_ID),
    ),
)


def test_second_app_leaves_the_pods_cells_blank() -> None:
    assert format_rows([POD], full=False, format_time=lambda ns: f"t{ns}") == [
        ["6733c088", "web", "example.com/web:1", "running", "t1", "t2", "default:ip4=10.0.0.2, b:ip4=10.0.1.2"],
        ["", "db", "--", "", "", "", ""],
    ]
    assert len(legend(full=False)) == 7


def test_full_rows_have_whole_uuids_and_image_ids() -> None:
    rows = format_rows([POD], full=True, format_time=str)
    assert [row[:4] for row in rows] == [
        [UUID, "web", "example.com/web:1", "sha512-abababababab"],
        ["", "db", "--", "sha512-abababababab"],
    ]
    assert legend(full=True) == ("UUID", "APP", "IMAGE NAME", "IMAGE ID", "STATE", "CREATED", "STARTED", "NETWORKS")
    assert {len(row) for row in rows} == {8}


@pytest.mark.parametrize(("full", "dashes"), [(False, 2), (True, 3)])
def test_pod_without_manifest_shows_dashes(full: bool, dashes: int) -> None:
    pod = PodSummary(uuid=UUID, state="preparing")
    row = format_rows([pod], full=full, format_time=str)[0]
    assert row[1:] == ["-"] * dashes + ["preparing", "", "", ""]


def test_pods_that_can_be_named_are_listed(pods: PodFactory) -> None:
    expected = [pods.make_closed(phase) for phase in ("prepare", "prepared", "run", "exited-garbage")]
    pods.make_closed("embryo")
    pods.make_closed("garbage")
    listing = load_listing(pods.data)
    assert [pod.uuid for pod in listing.pods] == expected
    assert [pod.state for pod in listing.pods] == ["aborted prepare", "prepared", "exited", "exited garbage"]
    assert listing.errors == ()


def test_nothing_to_list(data: DataDirectory) -> None:
    assert load_listing(data).pods == ()
    assert format_errors(()) == ""


def test_bad_pods_do_not_hide_the_others(pods: PodFactory) -> None:
    good = pods.make_closed("run")
    with pods.make("run") as bad:
        Path(bad.path, "pod").write_bytes(b"\xff\x00{")
    Path(pods.data.pod("run", new_uuid())).write_bytes(b"not a directory")
    empty = new_uuid()
    os.mkdir(pods.data.pod("run", empty))
    listing = load_listing(pods.data)
    assert {pod.uuid for pod in listing.pods} == {good, bad.uuid, empty}
    assert {pod.uuid for pod in listing.pods if pod.has_manifest} == {good}
    assert len(listing.errors) == 3


def test_pod_that_goes_while_it_is_listed_is_passed_over(pods: PodFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    from rkt.lifecycle import list as list_verb

    monkeypatch.setattr(list_verb, "list_pods", lambda _: [new_uuid()])
    listing = load_listing(pods.data)
    assert (listing.pods, listing.errors) == ((), ())


def test_errors_are_counted_and_told_apart() -> None:
    assert format_errors([RktError("one"), RktError("two")]).split("\n") == [
        "2 error(s) encountered when listing pods:",
        "-" * 40,
        "one",
        "-" * 40,
        "two",
        "-" * 40,
        "misc:",
        "  rkt's appc version: 0.8.11",
        "",
    ]
