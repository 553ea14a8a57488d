"""IMAGE arguments of the ``image`` verbs: an image ID or the beginning of one, else a name with labels (1.1.4)."""

from __future__ import annotations

from rkt.errors import UsageError
from rkt.fetch.reference import HASH_PREFIX
from rkt.store.errors import ImageNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.store.image_store import ImageStore
    from rkt.store.record import ImageRecord


class NoSuchImageError(ImageNotFoundError):
    """The store holds no image of that name and labels."""


def get_image(store: ImageStore, text: str) -> ImageRecord:
    """The stored image that ``text`` means. Raises UsageError, ImageReferenceError, NoSuchImageError, StoreError."""
    if not text:
        raise UsageError("must provide at least one image ID")
    if text.startswith(HASH_PREFIX):
        return store.get_record(store.resolve_key(text))
    from rkt.fetch.reference import parse_name

    name, labels = parse_name(text)
    record = store.find_image(name, labels)
    if record is None:
        wanted = ", ".join(f'"{label}":"{value}"' for label, value in labels.items())
        raise NoSuchImageError(f'cannot find aci satisfying name: "{name}" and labels: [{wanted}] in the local store')
    return record
