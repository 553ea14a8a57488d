"""Which entries of an image end up in a tree, by the pathWhitelists that apply to it (appc DEP-012 to DEP-017).

Pure: names go in, decisions come out. The whitelists of a layer are its image's own and those of all images on the
way to the top; which those are is the caller's knowledge. An entry is kept if every one of them lists it; a directory
also where it is needed as the parent of something listed.
"""

from __future__ import annotations

from rkt.aci.errors import ArchiveError, quoted
from rkt.aci.names import clean_whitelist_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_MAX_LINK_CHAIN = 16


class Selection:
    """The joint effect of whitelists. Paths are clean and relative to rootfs; the root itself is always kept.

    A whitelist without paths is the same as none (IMG-069).
    """

    __slots__ = ("_directories", "_paths", "everything")

    def __init__(self, whitelists: Iterable[Sequence[str]] = ()) -> None:
        paths: set[bytes] | None = None
        directories: set[bytes] = set()
        for whitelist in whitelists:
            if not whitelist:
                continue
            listed = {clean_whitelist_path(path) for path in whitelist}
            with_parents = listed | {parent for path in listed for parent in _parents(path)}
            paths = listed if paths is None else paths & listed
            directories = directories & with_parents if directories else with_parents
        self.everything = paths is None
        self._paths = paths or set()
        self._directories = directories

    def keeps(self, path: bytes, *, directory: bool) -> bool:
        """Whether an entry is extracted. A directory that is only a parent goes again if nothing came into it."""
        return self.everything or path in self._paths or (directory and path in self._directories) or path == b""

    def lists(self, path: bytes) -> bool:
        """Whether ``path`` is there in its own right, not only as the parent of something."""
        return self.everything or path in self._paths or path == b""


def _parents(path: bytes) -> Iterable[bytes]:
    while path:
        path = path.rpartition(b"/")[0]
        yield path


def plan_moved_content(links: Callable[[], Iterable[tuple[bytes, bytes]]], selection: Selection) -> dict[bytes, bytes]:
    """Where the content of unlisted files goes that have a listed hard link: name in the archive -> name in the tree.

    ``links`` gives (path, target) of the archive's hard links in order, as often as it is called. A hard link whose
    target is in the result is a link to what the target maps to, or is that file itself. Raises ArchiveError for a
    chain of links that is longer than any archiver makes.
    """
    moved: dict[bytes, bytes] = {}
    for path, target in links():
        if selection.lists(path) and not selection.lists(target):
            moved.setdefault(target, path)
    unresolved = set(moved)
    for _ in range(_MAX_LINK_CHAIN):
        found = {path: target for path, target in links() if path in unresolved} if unresolved else {}
        if not found:
            return moved
        unresolved = {target for path, target in found.items() if _follow(moved, path, target, selection)}
    raise ArchiveError(f"hard link {quoted(min(unresolved or {b''}))} ends a chain of too many hard links")


def _follow(moved: dict[bytes, bytes], path: bytes, target: bytes, selection: Selection) -> bool:
    """``path``, which was to be moved, is itself a link: let its target stand for it. True if the target is new."""
    if selection.lists(target):
        moved[path] = target
    elif target in moved:
        moved[path] = moved[target]
    else:
        moved[target] = moved[path]
        return True
    return False
