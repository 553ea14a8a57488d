"""What was asked for, as immutable values: the apps of a pod, what they share, and what overrides their images.

The command line and, later, other front ends make these; :mod:`rkt.stage0.manifest` turns them into a pod manifest.
Nothing is looked up here, and nothing is checked that needs more than one value.
"""

from __future__ import annotations

from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.schema.image import ImageManifest
    from rkt.schema.pod import ExposedPort, Mount
    from rkt.schema.volume import Volume


class SeccompOverride(Value):
    """A seccomp filter in place of the image's: ``retain`` or ``remove`` the named system calls.

    ``errno`` is the name of the error that a refused call gets; None: the app is killed (appc, seccomp isolators).
    """

    __slots__ = ("errno", "names", "retain")
    _fields = ("retain", "names", "errno")
    retain: bool
    names: tuple[str, ...]
    errno: str | None

    def __init__(self, *, retain: bool, names: tuple[str, ...], errno: str | None = None) -> None:
        self._freeze(retain, names, errno)


class IsolatorOverrides(Value):
    """Isolators that replace the image's of the same kind; None leaves the image's alone.

    ``memory`` and ``cpu`` are quantities as appc writes them (``16M``, ``500m``). A capability set replaces both of
    the image's capability sets; only one of the two is given.
    """

    __slots__ = ("caps_remove", "caps_retain", "cpu", "cpu_shares", "memory", "oom_score_adj", "seccomp")
    _fields = ("memory", "cpu", "cpu_shares", "caps_retain", "caps_remove", "seccomp", "oom_score_adj")
    memory: str | None
    cpu: str | None
    cpu_shares: int | None
    caps_retain: tuple[str, ...] | None
    caps_remove: tuple[str, ...] | None
    seccomp: SeccompOverride | None
    oom_score_adj: int | None

    def __init__(
        self,
        *,
        memory: str | None = None,
        cpu: str | None = None,
        cpu_shares: int | None = None,
        caps_retain: tuple[str, ...] | None = None,
        caps_remove: tuple[str, ...] | None = None,
        seccomp: SeccompOverride | None = None,
        oom_score_adj: int | None = None,
    ) -> None:
        self._freeze(memory, cpu, cpu_shares, caps_retain, caps_remove, seccomp, oom_score_adj)


class AppRequest(Value):
    """One app: a stored image and what replaces or adds to parts of its manifest; None leaves a part alone.

    ``key`` is the store's key of the image, ``image_id`` its full ID. ``arguments`` are appended to the image's exec,
    or to ``[exec]`` where ``exec`` is given.
    """

    __slots__ = (
        "annotations", "arguments", "environment", "exec", "group", "image_id", "isolators", "key", "manifest",
        "mounts", "name", "read_only_rootfs", "supplementary_gids", "user", "user_annotations", "user_labels",
        "working_directory",
    )  # fmt: skip
    _fields = (
        "key", "image_id", "manifest", "name", "exec", "arguments", "working_directory", "read_only_rootfs",
        "mounts", "user", "group", "supplementary_gids", "annotations", "user_annotations", "user_labels",
        "environment", "isolators",
    )  # fmt: skip
    key: str
    image_id: str
    manifest: ImageManifest
    name: str | None
    exec: str | None
    arguments: tuple[str, ...]
    working_directory: str | None
    read_only_rootfs: bool
    mounts: tuple[Mount, ...]
    user: str | None
    group: str | None
    supplementary_gids: tuple[int, ...] | None
    annotations: tuple[tuple[str, str], ...]
    user_annotations: tuple[tuple[str, str], ...]
    user_labels: tuple[tuple[str, str], ...]
    environment: tuple[tuple[str, str], ...]
    isolators: IsolatorOverrides

    def __init__(
        self,
        *,
        key: str,
        image_id: str,
        manifest: ImageManifest,
        name: str | None = None,
        exec: str | None = None,
        arguments: tuple[str, ...] = (),
        working_directory: str | None = None,
        read_only_rootfs: bool = False,
        mounts: tuple[Mount, ...] = (),
        user: str | None = None,
        group: str | None = None,
        supplementary_gids: tuple[int, ...] | None = None,
        annotations: tuple[tuple[str, str], ...] = (),
        user_annotations: tuple[tuple[str, str], ...] = (),
        user_labels: tuple[tuple[str, str], ...] = (),
        environment: tuple[tuple[str, str], ...] = (),
        isolators: IsolatorOverrides | None = None,
    ) -> None:
        self._freeze(
            key, image_id, manifest, name, exec, arguments, working_directory, read_only_rootfs, mounts, user, group,
            supplementary_gids, annotations, user_annotations, user_labels, environment,
            isolators if isolators is not None else IsolatorOverrides(),
        )  # fmt: skip


class PodRequest(Value):
    """A pod: its apps in order, and what they share.

    ``mounts`` go to every app that mounts nothing else at the same path. Environments are merged in the order of
    section 1.3: ``inherited_environment`` only fills gaps, ``file_environment`` and then ``environment`` override.
    ``caller`` is the numeric (uid, gid) for images without an app section.
    """

    __slots__ = (
        "apps", "caller", "environment", "file_environment", "inherited_environment", "mounts", "ports",
        "user_annotations", "user_labels", "volumes",
    )  # fmt: skip
    _fields = (
        "apps", "volumes", "mounts", "ports", "environment", "file_environment", "inherited_environment",
        "user_annotations", "user_labels", "caller",
    )  # fmt: skip
    apps: tuple[AppRequest, ...]
    volumes: tuple[Volume, ...]
    mounts: tuple[Mount, ...]
    ports: tuple[ExposedPort, ...]
    environment: tuple[tuple[str, str], ...]
    file_environment: tuple[tuple[str, str], ...]
    inherited_environment: tuple[tuple[str, str], ...]
    user_annotations: tuple[tuple[str, str], ...]
    user_labels: tuple[tuple[str, str], ...]
    caller: tuple[int, int]

    def __init__(
        self,
        *,
        apps: tuple[AppRequest, ...],
        volumes: tuple[Volume, ...] = (),
        mounts: tuple[Mount, ...] = (),
        ports: tuple[ExposedPort, ...] = (),
        environment: tuple[tuple[str, str], ...] = (),
        file_environment: tuple[tuple[str, str], ...] = (),
        inherited_environment: tuple[tuple[str, str], ...] = (),
        user_annotations: tuple[tuple[str, str], ...] = (),
        user_labels: tuple[tuple[str, str], ...] = (),
        caller: tuple[int, int] = (0, 0),
    ) -> None:
        self._freeze(
            apps, volumes, mounts, ports, environment, file_environment, inherited_environment, user_annotations,
            user_labels, caller,
        )  # fmt: skip
