"""Dependencies of an image on other images (appc aci.md, IMG-062..066).

Finding, checking and rendering them is the fetcher's and the store's.
"""

from __future__ import annotations

from rkt.schema.image_id import find_image_id_problem
from rkt.schema.json_writer import list_text, object_text, string_text
from rkt.schema.label import Label, decode_labels
from rkt.schema.reading import Members, member_names
from rkt.schema.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from rkt.schema.json_reader import JSON
    from rkt.schema.json_writer import Unknown
    from rkt.schema.reading import Reading

_MEMBERS = member_names("imageName", "imageID", "labels", "size")


class Dependency(Value):
    """An image by name and labels, and perhaps by ID; ``size`` in bytes, None when not given (or 0)."""

    __slots__ = ("image_id", "image_name", "labels", "size", "unknown")
    _fields = ("image_name", "image_id", "labels", "size", "unknown")
    image_name: str
    image_id: str | None
    labels: tuple[Label, ...]
    size: int | None
    unknown: Unknown

    def __init__(
        self,
        *,
        image_name: str,
        image_id: str | None = None,
        labels: Sequence[Label] = (),
        size: int | None = None,
        unknown: Unknown = (),
    ) -> None:
        self._freeze(image_name, image_id, tuple(labels), size or None, unknown)

    def json_text(self) -> str:
        """The canonical JSON text."""
        members = (
            ("imageName", string_text(self.image_name)),
            ("imageID", None if self.image_id is None else string_text(self.image_id)),
            ("labels", list_text(label.json_text() for label in self.labels) if self.labels else None),
            ("size", str(self.size) if self.size else None),
        )
        return object_text(members, self.unknown)


def find_partial_id_problem(text: str) -> str | None:
    """Why ``text`` cannot stand for an image ID in a manifest; a digest cut short or the placeholder can."""
    return find_image_id_problem(text, allow_partial=True)


def decode_dependency(value: JSON, path: str, reading: Reading) -> Dependency:
    """The dependency object at ``path``."""
    members = Members(value, path, reading, _MEMBERS)
    has_id = members.given.get("imageID") is not None
    return Dependency(
        image_name=members.string("imageName", reading.rules.identifier, required=True),
        image_id=members.string("imageID", find_partial_id_problem) if has_id else None,
        labels=decode_labels(members.items("labels"), members.at("labels"), reading),
        size=members.integer("size", low=0),
        unknown=members.unknown,
    )
