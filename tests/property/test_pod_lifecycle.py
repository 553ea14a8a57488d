"""The pod state machine against a model: real directories and locks, owners that crash at any point, gc and rm."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from harness.pod_factory import PodFactory
from harness.pod_state import pod_states
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from rkt.errors import RktError
from rkt.lifecycle import gc
from rkt.lifecycle.deletion import delete_pod
from rkt.lifecycle.list import load_listing
from rkt.lifecycle.rm import remove_pod
from rkt.lifecycle.status import load_status
from rkt.paths import POD_PHASES, DataDirectory
from rkt.pod.directory import Pod, create_pod, list_pods, open_pod
from rkt.pod.errors import PodLockedError, PodNotFoundError
from rkt.pod.phases import may_follow, state_of
from rkt.pod.removal import remove_tree


class PodLife(RuleBasedStateMachine):
    """``model`` maps the UUID of every pod on disk to its phase; ``owned`` are the open pods that hold their lock.

    Rules name pods by the number in which they were made, as UUIDs are random.
    """

    numbers = Bundle("numbers")

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        self.data = DataDirectory(f"{self._directory.name}/data")
        self.pods = PodFactory(self.data)
        self.model: dict[str, str] = {}
        self.owned: dict[str, Pod] = {}
        self.uuids: list[str] = []

    def teardown(self) -> None:
        for pod in self.owned.values():
            pod.close()
        self._directory.cleanup()

    # --- owners --------------------------------------------------------------------------------------------------

    @rule(target=numbers)
    def create(self) -> int:
        return self._made(create_pod(self.data), "embryo")

    @rule(target=numbers, phase=st.sampled_from(POD_PHASES))
    def create_in(self, phase: str) -> int:
        return self._made(self.pods.make(phase, owned=True), phase)

    def _made(self, pod: Pod, phase: str) -> int:
        assert pod.uuid not in self.uuids
        self.model[pod.uuid] = phase
        self.owned[pod.uuid] = pod
        self.uuids.append(pod.uuid)
        return len(self.uuids) - 1

    @rule(number=numbers, phase=st.sampled_from(POD_PHASES))
    def move(self, number: int, phase: str) -> None:
        uuid = self.uuids[number]
        pod = self.owned.get(uuid)
        if pod is None or uuid not in self.model:
            return
        if may_follow(self.model[uuid], target=phase):
            pod.move_to(phase)
            self.model[uuid] = phase
        else:
            try:
                pod.move_to(phase)
            except RktError:
                return
            raise AssertionError("a pod moved where it must not")

    @rule(number=numbers, name=st.sampled_from(["pod", "pid", "overlay-prepared"]), sync=st.booleans())
    def write(self, number: int, name: str, sync: bool) -> None:
        uuid = self.uuids[number]
        pod = self.owned.get(uuid)
        if pod is not None and not os.path.lexists(f"{pod.path}/{name}"):
            pod.write_file(name, b"17\n", sync=sync)

    @rule(number=numbers)
    def crash(self, number: int) -> None:
        """What a killed process leaves: the directory as it is, and no lock."""
        uuid = self.uuids[number]
        pod = self.owned.pop(uuid, None)
        if pod is not None:
            pod.close()

    @rule(number=numbers)
    def adopt(self, number: int) -> None:
        """Another process takes the lock of a pod that nobody owns, as run-prepared and gc do."""
        uuid = self.uuids[number]
        if uuid not in self.model:
            return
        pod = open_pod(self.data, uuid)
        assert pod.phase == self.model[uuid]
        taken = pod.try_lock_exclusive()
        assert taken is (uuid not in self.owned)
        if taken:
            self.owned[uuid] = pod
        else:
            pod.close()

    # --- collectors ----------------------------------------------------------------------------------------------

    @rule(mark_only=st.booleans(), grace=st.sampled_from([0, 3600]), expire=st.sampled_from([0, 3600]))
    def collect(self, mark_only: bool, grace: int, expire: int) -> None:
        gc.collect(
            self.data,
            tell=lambda _: None,
            format_duration=str,
            grace_period_seconds=grace,
            expire_prepared_seconds=expire,
            mark_only=mark_only,
        )
        for uuid, phase in list(self.model.items()):
            if uuid not in self.owned:
                after = _collected(phase, mark_only=mark_only, graceful=bool(grace), expiring=not expire)
                self._note(uuid, after)

    @rule(number=numbers)
    def remove(self, number: int) -> None:
        uuid = self.uuids[number]
        if uuid not in self.model:
            return
        with open_pod(self.data, uuid) as pod:
            refused = uuid in self.owned or self.model[uuid] == "embryo"
            try:
                remove_pod(pod)
            except PodLockedError:
                assert refused
                return
        assert not refused
        self._note(uuid, None)

    @rule(number=numbers, entries=st.integers(0, 3))
    def die_while_deleting(self, number: int, entries: int) -> None:
        """A collector that is killed after it removed some of the entries of a pod in garbage."""
        uuid = self.uuids[number]
        pod = self.owned.get(uuid)
        if pod is not None and self.model[uuid] == "garbage":
            for name in sorted(os.listdir(pod.lock_fd))[:entries]:
                remove_tree(pod.lock_fd, name)
            self.owned.pop(uuid).close()

    @rule(number=numbers)
    def delete(self, number: int) -> None:
        uuid = self.uuids[number]
        pod = self.owned.get(uuid)
        if pod is not None and self.model[uuid] in ("exited-garbage", "garbage"):
            delete_pod(pod)
            self.owned.pop(uuid).close()
            self._note(uuid, None)

    def _note(self, uuid: str, phase: str | None) -> None:
        if phase is None:
            del self.model[uuid]
        else:
            self.model[uuid] = phase

    # --- what holds at any time ----------------------------------------------------------------------------------

    @invariant()
    def each_pod_is_in_exactly_one_state(self) -> None:
        expected = {uuid: state_of(phase, locked=uuid in self.owned) for uuid, phase in self.model.items()}
        assert pod_states(Path(self.data.root)) == expected
        places = [uuid for phase in POD_PHASES for uuid in list_pods(self.data, (phase,))]
        assert sorted(places) == sorted(self.model)

    @invariant()
    def readers_agree(self) -> None:
        for uuid, phase in self.model.items():
            with open_pod(self.data, uuid) as pod:
                assert pod.current_state() == state_of(phase, locked=uuid in self.owned)

    @invariant()
    def list_and_status_work(self) -> None:
        addressable = [uuid for uuid, phase in self.model.items() if phase not in ("embryo", "garbage")]
        listing = load_listing(self.data)
        assert sorted(pod.uuid for pod in listing.pods) == sorted(addressable)
        for uuid in addressable[:1]:
            assert load_status(self.data, uuid).uuid == uuid

    @invariant()
    def descriptors_of_removed_pods_find_nothing(self) -> None:
        for uuid, pod in self.owned.items():
            if uuid in self.model:
                pod.refresh()
                continue
            try:
                pod.refresh()
            except PodNotFoundError:
                continue
            raise AssertionError("a removed pod was found")


def _collected(phase: str, *, mark_only: bool, graceful: bool, expiring: bool) -> str | None:
    """Where gc leaves a pod that nobody owns; None if it deletes it."""
    if phase in ("embryo", "prepare") or (phase == "prepared" and expiring and not mark_only):
        phase = "garbage"
    elif phase == "run":
        phase = "exited-garbage"
    if mark_only or phase == "prepared":
        return phase
    return phase if phase == "exited-garbage" and graceful else None


TestPodLife = PodLife.TestCase
TestPodLife.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
