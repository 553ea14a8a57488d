"""``rkt image rm``: images out of the store; rendered trees and pods that use them stay (section 1.16)."""

from __future__ import annotations

from rkt import diagnostics
from rkt.cli.verb import Invocation, Verb
from rkt.errors import RktError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.store.image_store import ImageStore


#: codes of errors that mean: the words name no image of the store
_ABSENT = frozenset(("image-not-found", "image-ambiguous", "image-id", "usage"))


class ImageRemovalError(RktError):
    """At least one image, or a file of one, could not be removed; each has been reported."""

    code = "image-removal"


def execute(invocation: Invocation) -> int:
    from rkt.store.image_store import open_image_store

    if not invocation.words:
        raise UsageError("must provide at least one image ID")
    with open_image_store(invocation.settings.data) as store:
        keys, unread = _resolve(store, invocation.words)
        removed, stale, failed = _remove_all(store, keys)
        failed += unread
    if removed:
        diagnostics.line(f"{removed} image(s) successfully removed")
    if stale:
        diagnostics.line(f"{stale} image(s) removed but left some stale files")
    if failed:
        diagnostics.line(f"{failed} image(s) cannot be removed")
    if stale or failed:
        raise ImageRemovalError("error(s) found while removing images")
    return 0


def _resolve(store: ImageStore, words: list[str]) -> tuple[list[str], int]:
    """The keys of the images, each once, and how many could not be looked up.

    What is not there is reported and is not a failure (as in rkt 1.30).
    """
    from rkt.cli.image_argument import get_image

    keys: dict[str, None] = {}
    unread = 0
    for word in words:
        try:
            keys[get_image(store, word).key] = None
        except RktError as error:
            diagnostics.line(f'image "{word}" is not removed: {error.message}')
            unread += error.code not in _ABSENT
    return list(keys), unread


def _remove_all(store: ImageStore, keys: list[str]) -> tuple[int, int, int]:
    """How many images were removed, were removed but for some files, and could not be removed."""
    from rkt.cli.output import write_line
    from rkt.store.errors import ImageNotFoundError, StaleFilesError, StoreError

    removed = stale = failed = 0
    for key in keys:
        try:
            store.remove(key)
        except StaleFilesError as error:
            diagnostics.line(error.message)
            stale += 1
        except ImageNotFoundError as error:  # somebody else was quicker
            diagnostics.line(error.message)
        except StoreError as error:
            diagnostics.line(error.message)
            failed += 1
        else:
            write_line(f'successfully removed aci for image: "{key}"')
            removed += 1
    return removed, stale, failed


VERB = Verb(
    usage="IMAGE...",
    description=(
        "Removes images from the store. IMAGE is an image ID, the beginning of one, or a name. Pods that use an image "
        "keep working."
    ),
    execute=execute,
)
