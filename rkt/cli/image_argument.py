"""IMAGE arguments of the ``image`` verbs: an image ID or the beginning of one, else a name with labels (1.1.4)."""

from __future__ import annotations

from rkt.errors import RktError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.store.image_store import ImageStore
    from rkt.store.record import ImageRecord

HASH_PREFIX = "sha512-"


class NoSuchImageError(RktError):
    """The store holds no image of that name and labels."""

    code = "image-not-found"


def get_image(store: ImageStore, text: str) -> ImageRecord:
    """The stored image that ``text`` means. Raises UsageError, NoSuchImageError, and the store's errors."""
    if not text:
        raise UsageError("must provide at least one image ID")
    if text.startswith(HASH_PREFIX):
        return store.get_record(store.resolve_key(text))
    name, labels = parse_image_name(text)
    record = store.find_image(name, labels)
    if record is None:
        wanted = ", ".join(f'"{label}":"{value}"' for label, value in labels.items())
        raise NoSuchImageError(f'cannot find aci satisfying name: "{name}" and labels: [{wanted}] in the local store')
    return record


def parse_image_name(text: str) -> tuple[str, dict[str, str]]:
    """``name[:version][,label=value...]``. Raises UsageError."""
    from rkt.schema.names import find_identifier_problem

    first, *rest = text.split(",")
    name, has_version, version = first.partition(":")
    problem = find_identifier_problem(name)
    if problem is not None:
        raise UsageError(f'invalid image name "{text}": {problem}', "give an image ID (sha512-...) or name:version")
    labels = {"version": version} if has_version else {}
    for element in rest:
        label, separator, value = element.partition("=")
        if not separator or find_identifier_problem(label) is not None:
            raise UsageError(f'invalid image name "{text}": "{element}" is not a label=value')
        if label in labels:
            raise UsageError(f'invalid image name "{text}": label "{label}" is given twice')
        labels[label] = value
    return name, labels
