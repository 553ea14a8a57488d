"""The limit of processes is a default of ours: a host that cannot set it warns and runs the pod."""

from __future__ import annotations

from pathlib import Path

import pytest

from rkt.linux.cgroups import Hierarchies, Limits, PodCgroup
from rkt.stage1.native.plan import AppPlan, PodPlan
from rkt.stage1.native.supervisor import _prepare_cgroup
from rkt.stage2.process import AppProcess


def plan(limits: Limits) -> PodPlan:
    main = AppProcess(app="app", argv=("/x",), environment=(), user="0", group="0")
    app = AppPlan(name="app", root="/r", steps=(), main=main, pre_start=None, post_stop=None, limits=limits)
    return PodPlan(uuid="u", hostname="h", namespaces=0, stage1_root="/s", steps=(), apps=(app,), interactive=False)


def undelegated(root: Path) -> PodCgroup:
    """A cgroup2 tree of plain directories: the files of the controllers are not there, as without delegation."""
    for name in ("init.scope", "app"):
        (root / "rkt/u" / name).mkdir(parents=True)
        (root / "rkt/u" / name / "cgroup.procs").touch()
    for group in (".", "rkt", "rkt/u"):
        (root / group / "cgroup.subtree_control").touch()
    controllers = frozenset({"pids", "memory"})
    return PodCgroup.of_pod("u", Hierarchies(unified=str(root), controllers={}, unified_controllers=controllers))


def test_pod_runs_without_the_default_limit(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    groups = _prepare_cgroup(plan(Limits(pids=4096)), undelegated(tmp_path))
    for group in groups.values():
        group.close()
    assert 'warning: app "app" has no limit of processes' in capfd.readouterr().err


def test_limit_that_was_asked_for_is_not_left_out(tmp_path: Path) -> None:
    from rkt.linux.cgroups import CgroupError

    with pytest.raises(CgroupError, match=r"memory\.max"):
        _prepare_cgroup(plan(Limits(memory_bytes=1 << 30, pids=4096)), undelegated(tmp_path))
