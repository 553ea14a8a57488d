"""What a process of an app is to be: a pure value that stage1 plans and stage2 carries out.

It holds words (a user's name, an executable's name) that can only be resolved inside the app's root file system;
:mod:`rkt.stage2.launch` does that, after the root has been entered.
"""

from __future__ import annotations


class AppProcess:
    """One command with everything that it runs under.

    ``bounding_set`` is a capability mask or None for "all of the pod's"; ``programs`` are compiled seccomp filters,
    none of them means no filter. ``environment`` is complete. ``user`` and ``group`` are the manifest's words: a name,
    digits, or an absolute path whose owner is meant (IMG-018 to IMG-020).
    """

    __slots__ = (
        "app",
        "argv",
        "bounding_set",
        "environment",
        "group",
        "no_new_privileges",
        "oom_score_adj",
        "programs",
        "supplementary_gids",
        "user",
        "working_directory",
    )

    def __init__(
        self,
        *,
        app: str,
        argv: tuple[str, ...],
        environment: tuple[tuple[str, str], ...],
        user: str,
        group: str,
        supplementary_gids: tuple[int, ...] = (),
        working_directory: str = "/",
        bounding_set: int | None = None,
        programs: tuple[bytes, ...] = (),
        no_new_privileges: bool = False,
        oom_score_adj: int | None = None,
    ) -> None:
        self.app = app
        self.argv = argv
        self.environment = environment
        self.user = user
        self.group = group
        self.supplementary_gids = supplementary_gids
        self.working_directory = working_directory
        self.bounding_set = bounding_set
        self.programs = programs
        self.no_new_privileges = no_new_privileges
        self.oom_score_adj = oom_score_adj

    def with_argv(self, argv: tuple[str, ...]) -> AppProcess:
        """The same surroundings for another command: an event handler (ACE-064)."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        fields["argv"] = argv
        return AppProcess(**fields)

    def describe(self) -> str:
        words = " ".join(self.argv)
        return f"exec {words} as {self.user}:{self.group} in {self.working_directory} ({len(self.programs)} filters)"
