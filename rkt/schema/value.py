"""The small base of every immutable value of this package: comparable, hashable, printable, replaceable.

It does not validate (the ``decode_`` and ``parse_`` functions do, at the border) and it does not know JSON.
Written by hand because ``dataclasses`` costs more to import than this whole package.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Self


class Value:
    """A value: fields are fixed at construction, equal fields mean equal values.

    A subclass names its fields in ``_fields`` (in the order of its constructor's keywords) and in ``__slots__``,
    and its constructor hands their values to :meth:`_freeze` in that order.
    """

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()

    def _freeze(self, *values: object) -> None:
        for field, value in zip(self._fields, values, strict=True):
            object.__setattr__(self, field, value)

    def _key(self) -> tuple[object, ...]:
        """What equality and hash are made of."""
        return tuple(getattr(self, field) for field in self._fields)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: use replace({name}=...)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._key()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{field}={getattr(self, field)!r}" for field in self._fields if getattr(self, field) != ())
        return f"{type(self).__name__}({shown})"

    def replace(self, **changes: object) -> Self:
        """A copy with some fields changed; a name that is not a field raises :class:`TypeError`."""
        return type(self)(**{**{field: getattr(self, field) for field in self._fields}, **changes})

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), {field: getattr(self, field) for field in self._fields}))


def _rebuild(kind: type[Value], fields: dict[str, object]) -> Value:
    return kind(**fields)
