"""The record of a stored image: what the store knows about it, as one small JSON file. Values only, no I/O.

The record is the truth and its rename into place is the moment in which an image becomes stored; the index is only
derived from records. Checksums of the record and of the manifest detect what a disk did to them, not what an attacker
did: only root can write here. It does not know where it lies.
"""

from __future__ import annotations

from binascii import crc32

from rkt.schema.json_decoder import Decoder
from rkt.store.errors import DamagedImageError, ImageIdError, StoreVersionError
from rkt.store.layout import ID_LENGTH, KEY_LENGTH, parse_image_id

#: raised when a reader of the old form would misunderstand a record
FORMAT = 1
_CHECKSUM_MEMBER = b',"checksum":'
_decoder = Decoder()


class SignedBy:
    """One good signature: the key's fingerprint and the identities that its owner claims."""

    __slots__ = ("fingerprint", "identities")

    def __init__(self, fingerprint: str, identities: tuple[str, ...] = ()) -> None:
        self.fingerprint = fingerprint
        self.identities = identities

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SignedBy):
            return NotImplemented
        return (self.fingerprint, self.identities) == (other.fingerprint, other.identities)

    def __hash__(self) -> int:
        return hash((self.fingerprint, self.identities))

    def __repr__(self) -> str:
        return f"SignedBy({self.fingerprint!r}, {self.identities!r})"


class ImageOrigin:
    """What the fetcher knows about an image that it commits.

    ``signed_by`` holds the signatures that were verified over exactly these bytes (none: unsigned); ``latest`` is
    set when the image was discovered without a version having been asked for (rkt 1.30, section 2.2.2).
    """

    __slots__ = ("latest", "signed_by")

    def __init__(self, *, latest: bool = False, signed_by: tuple[SignedBy, ...] = ()) -> None:
        self.latest = latest
        self.signed_by = signed_by


class ImageRecord:
    """One stored image. ``size`` is the bytes of the uncompressed tar, ``archive_size`` of the file as it was fetched.

    ``manifest_checksum`` is that of the manifest's bytes (:func:`checksum`).
    ``stamp`` is (inode, ctime in ns) of the blob when its digest was last computed: see ``ImageStore.verify_blob``.
    """

    __slots__ = (
        "archive_size", "image_id", "import_time_ns", "key", "labels", "latest", "manifest_checksum", "name",
        "signed_by", "size", "stamp",
    )  # fmt: skip

    def __init__(
        self,
        *,
        image_id: str,
        name: str,
        labels: tuple[tuple[str, str], ...] = (),
        size: int,
        archive_size: int = 0,
        import_time_ns: int,
        origin: ImageOrigin,
        manifest_checksum: int = 0,
        stamp: tuple[int, int] = (0, 0),
    ) -> None:
        self.image_id = image_id
        self.key = image_id[:KEY_LENGTH]
        self.name = name
        self.labels = labels
        self.size = size
        self.archive_size = archive_size
        self.import_time_ns = import_time_ns
        self.latest = origin.latest
        self.signed_by = origin.signed_by
        self.manifest_checksum = manifest_checksum
        self.stamp = stamp

    @property
    def verified(self) -> bool:
        """Whether a trusted signature over this image was verified when it was stored."""
        return bool(self.signed_by)

    def label(self, name: str) -> str | None:
        """The value of one label, or None."""
        for have, value in self.labels:
            if have == name:
                return value
        return None

    def satisfies(self, *, name: str, labels: dict[str, str]) -> bool:
        """Whether the image answers to ``name`` and to every label asked for (appc, dependency matching)."""
        return self.name == name and all(self.label(label) == value for label, value in labels.items())

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, slot) for slot in self.__slots__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ImageRecord):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self.image_id)

    def __repr__(self) -> str:
        return f"ImageRecord({self.name!r}, {self.key!r})"


def order_of_preference(record: ImageRecord, *, version_asked: bool) -> tuple[bool, int, str]:
    """Sort key; the greatest is the image that a name means: latest first unless a version is asked, then newest."""
    return (record.latest and not version_asked, record.import_time_ns, record.key)


def encode_record(record: ImageRecord) -> bytes:
    """The record as JSON, one line."""
    signatures = [{"fingerprint": one.fingerprint, "identities": list(one.identities)} for one in record.signed_by]
    value = {
        "format": FORMAT,
        "id": record.image_id,
        "name": record.name,
        "labels": [{"name": name, "value": text} for name, text in record.labels],
        "size": record.size,
        "archiveSize": record.archive_size,
        "importTime": record.import_time_ns,
        "latest": record.latest,
        "verification": signatures or "unsigned",
        "manifestChecksum": record.manifest_checksum,
        "blob": {"inode": record.stamp[0], "ctime": record.stamp[1]},
    }
    import json

    text = json.dumps(value, separators=(",", ":")).encode()[:-1]
    return text + _CHECKSUM_MEMBER + b"%d}\n" % checksum(text)


def checksum(data: bytes) -> int:
    """CRC-32: finds every flipped bit and all but one in four billion other accidents, and imports nothing."""
    return crc32(data)


def decode_record(data: bytes, *, key: str) -> ImageRecord:
    """The record from its JSON. Raises DamagedImageError, or StoreVersionError for one of a newer format."""
    try:
        value = _decoder.decode(data.decode())
        text = data.rpartition(_CHECKSUM_MEMBER)[0]
        number = value["format"]
        if isinstance(number, int) and number > FORMAT:
            raise StoreVersionError(f'image "{key}": its record has format {number}, above {FORMAT}', "update rkt")
        record = ImageRecord(
            image_id=_text(value["id"]),
            name=_text(value["name"]),
            labels=tuple((_text(label["name"]), _text(label["value"])) for label in value["labels"]),
            size=_number(value["size"]),
            archive_size=_number(value["archiveSize"]),
            import_time_ns=_number(value["importTime"]),
            origin=ImageOrigin(latest=value["latest"] is True, signed_by=_decode_verification(value["verification"])),
            manifest_checksum=_number(value["manifestChecksum"]),
            stamp=(_number(value["blob"]["inode"]), _number(value["blob"]["ctime"])),
        )
        parse_image_id(record.image_id)
        if value["checksum"] != checksum(text):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError, ImageIdError):
        raise damaged(key, "its record is not readable") from None
    if len(record.image_id) != ID_LENGTH or record.key != key:
        raise damaged(key, "its record is that of another image")
    return record


def damaged(key: str, reason: str) -> DamagedImageError:
    """The error for an image whose files are not what was stored."""
    return DamagedImageError(f'image "{key}" is damaged: {reason}', "fetch it again, or remove it: rkt image rm")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value


def _decode_verification(value: object) -> tuple[SignedBy, ...]:
    if value == "unsigned":
        return ()
    if not isinstance(value, list) or not value:
        raise TypeError
    return tuple(SignedBy(_text(one["fingerprint"]), tuple(_text(text) for text in one["identities"])) for one in value)
