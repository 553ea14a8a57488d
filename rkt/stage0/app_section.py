"""The ``app`` section of one app: the image's, with what was asked for put over it.

Pure. It decides what is executed, as whom, with which environment and isolators (section 1.3); volumes and names are
for :mod:`rkt.stage0.manifest`.
"""

from __future__ import annotations

from rkt.errors import RktError
from rkt.schema import isolator as names
from rkt.schema.app import App, EnvironmentVariable
from rkt.schema.isolator import Isolator
from rkt.schema.names import find_environment_name_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rkt.schema.json_reader import JSON
    from rkt.stage0.request import AppRequest, IsolatorOverrides, PodRequest, SeccompOverride

CAPABILITIES = (names.CAPABILITIES_RETAIN, names.CAPABILITIES_REMOVE)
SECCOMP = (names.SECCOMP_RETAIN, names.SECCOMP_REMOVE)


class NoExecutableError(RktError):
    """Nothing says what the app should execute."""

    code = "no-executable"


def plan_app(asked: AppRequest, pod: PodRequest) -> tuple[App, list[str]]:
    """The app section, and warnings about what could not be taken over. Raises NoExecutableError."""
    base = asked.manifest.app
    if base is None:
        if asked.exec is None:
            raise NoExecutableError(
                f"image {asked.image_id} has no app section and --exec argument is not provided",
                "name the program with --exec",
            )
        base = App(user=str(pod.caller[0]), group=str(pod.caller[1]))
    environment, warnings = merge_environment(base.environment, asked.environment, pod)
    app = base.replace(
        exec=plan_exec(base.exec, asked),
        environment=environment,
        isolators=override_isolators(base.isolators, asked.isolators),
        user_annotations=merge_pairs(base.user_annotations, asked.user_annotations),
        user_labels=merge_pairs(base.user_labels, asked.user_labels),
    )
    if asked.user is not None:
        app = app.replace(user=asked.user)
    if asked.group is not None:
        app = app.replace(group=asked.group)
    if asked.supplementary_gids is not None:
        app = app.replace(supplementary_gids=asked.supplementary_gids)
    if asked.working_directory is not None:
        app = app.replace(working_directory=asked.working_directory)
    return app, warnings


def plan_exec(of_image: tuple[str, ...], asked: AppRequest) -> tuple[str, ...]:
    """``[exec]`` or the image's exec, and the arguments after it. Raises NoExecutableError for nothing at all."""
    words = (*((asked.exec,) if asked.exec is not None else of_image), *asked.arguments)
    if not words:
        raise NoExecutableError(f'image "{asked.manifest.name}": app has no executable', "name the program with --exec")
    return words


def merge_environment(
    of_image: Iterable[EnvironmentVariable], of_app: Iterable[tuple[str, str]], pod: PodRequest
) -> tuple[tuple[EnvironmentVariable, ...], list[str]]:
    """The environment of an app and warnings about inherited variables that a manifest cannot hold.

    From the lowest to the highest: image, app, inherited (only what is not set yet), file, pod. The last one is what
    rkt 1.30 does, and not what its help says.
    """
    merged = {variable.name: variable.value for variable in of_image}
    merged.update(of_app)
    warnings = []
    for name, value in pod.inherited_environment:
        if find_environment_name_problem(name) is not None or not _is_text(value):
            warnings.append(f'environment variable "{name}" is not inherited: a manifest cannot hold it')
        else:
            merged.setdefault(name, value)
    merged.update(pod.file_environment)
    merged.update(pod.environment)
    return tuple(EnvironmentVariable(name=name, value=value) for name, value in merged.items()), warnings


def merge_pairs(*pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Pairs sorted by name, as manifests hold them; of two of one name the later one counts."""
    return tuple(sorted({name: value for some in pairs for name, value in some}.items()))


def override_isolators(of_image: tuple[Isolator, ...], asked: IsolatorOverrides) -> tuple[Isolator, ...]:
    """The image's isolators without those that are replaced, and the replacements after them."""
    added: list[Isolator] = []
    if asked.memory is not None:
        added.append(Isolator(name=names.MEMORY, value={"limit": asked.memory}))
    if asked.cpu is not None:
        added.append(Isolator(name=names.CPU, value={"limit": asked.cpu}))
    if asked.cpu_shares is not None:
        added.append(Isolator(name=names.CPU_SHARES, value=asked.cpu_shares))
    if asked.oom_score_adj is not None:
        added.append(Isolator(name=names.OOM_SCORE_ADJ, value=asked.oom_score_adj))
    for name, capabilities in zip(CAPABILITIES, (asked.caps_retain, asked.caps_remove), strict=True):
        if capabilities is not None:
            added.append(Isolator(name=name, value={"set": list(capabilities)}))
    if asked.seccomp is not None:
        added.append(_seccomp_isolator(asked.seccomp))
    replaced = {isolator.name for isolator in added}
    for family in (CAPABILITIES, SECCOMP):
        if not replaced.isdisjoint(family):
            replaced.update(family)
    return (*(isolator for isolator in of_image if isolator.name not in replaced), *added)


def _seccomp_isolator(asked: SeccompOverride) -> Isolator:
    value: dict[str, JSON] = {"set": list(asked.names)}
    if asked.errno is not None:
        value["errno"] = asked.errno
    return Isolator(name=SECCOMP[0] if asked.retain else SECCOMP[1], value=value)


def _is_text(value: str) -> bool:
    """Whether the value is Unicode: undecodable bytes of the environment arrive as lone surrogates."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
