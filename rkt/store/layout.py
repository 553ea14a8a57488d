"""Names of the store's files, and what an image ID and an image key look like. Creates directories, nothing else.

Layout under ``<data>/cas`` (rkt 1.30, section 2.2): see ``docs/on-disk-format.md``. The key of an image is the first
half of its ID; as half a digest is all that a file name carries, the full ID is kept in the record and compared.
"""

from __future__ import annotations

from rkt.linux import durable
from rkt.paths import DataDirectory
from rkt.store.errors import ImageIdError, StorageErrors

PREFIX = "sha512-"
KEY_LENGTH = len(PREFIX) + 64
ID_LENGTH = len(PREFIX) + 128
#: the shortest prefix of an image ID that can be looked up: two digits name the directory
SHORTEST_PREFIX = len(PREFIX) + 2

_DIGITS = frozenset("0123456789abcdef")

#: modes of the directories. Nobody but root may write anywhere; a group that an administrator gives to the data
#: directory (setgid) may read images, but neither trees (they hold setuid programs) nor open lock files.
_READABLE = ("", "/blob", "/blob/sha512", "/image", "/image/sha512", "/imageManifest", "/imageManifest/sha512")
_READABLE_MODE = 0o750
_PRIVATE = ("/db", "/tmp", "/tree", "/treestorelocks")
_PRIVATE_MODE = 0o700
FILE_MODE = 0o640


def parse_image_id(text: str) -> str:
    """Check that ``text`` is an image ID or a prefix of at least ``sha512-`` and two digits; returns it.

    Raises ImageIdError. Nothing else ever becomes part of a path of the store.
    """
    if not text.startswith(PREFIX):
        raise ImageIdError(f'image ID "{text}": wrong key prefix', f"an image ID begins with {PREFIX}")
    if len(text) < SHORTEST_PREFIX:
        raise ImageIdError(f'image ID "{text}": image ID too short', "give at least two hexadecimal digits")
    if len(text) > ID_LENGTH:
        raise ImageIdError(f'image ID "{text}": image ID too long', "an image ID has 128 hexadecimal digits")
    if not _DIGITS.issuperset(text[len(PREFIX) :]):
        raise ImageIdError(f'image ID "{text}": not hexadecimal', "the digits are 0-9 and a-f")
    return text


def is_key(name: str) -> bool:
    """Whether a directory entry is named like an image key: it is ours, and not a leftover."""
    return len(name) == KEY_LENGTH and name.startswith(PREFIX) and _DIGITS.issuperset(name[len(PREFIX) :])


class StoreLayout:
    """Paths below one ``cas`` directory. Keys must have passed :func:`parse_image_id` or come from a directory."""

    __slots__ = ("cas",)

    def __init__(self, data: DataDirectory) -> None:
        self.cas = data.cas

    def blob(self, key: str) -> str:
        return f"{self.cas}/blob/sha512/{key[7:9]}/{key}"

    def manifest(self, key: str) -> str:
        return f"{self.cas}/imageManifest/sha512/{key[7:9]}/{key}"

    def record(self, key: str) -> str:
        return f"{self.cas}/image/sha512/{key[7:9]}/{key}"

    def last_used(self, key: str) -> str:
        return f"{self.cas}/imagelocks/{key}"

    def tree(self, tree_id: str) -> str:
        return f"{self.cas}/tree/{tree_id}"

    def tree_lock(self, tree_id: str) -> str:
        return f"{self.cas}/treestorelocks/{tree_id}"

    @property
    def records(self) -> str:
        return f"{self.cas}/image/sha512"

    @property
    def blobs(self) -> str:
        return f"{self.cas}/blob/sha512"

    @property
    def manifests(self) -> str:
        return f"{self.cas}/imageManifest/sha512"

    @property
    def trees(self) -> str:
        return f"{self.cas}/tree"

    @property
    def temporary(self) -> str:
        return f"{self.cas}/tmp"

    @property
    def index(self) -> str:
        return f"{self.cas}/db/index.sqlite"

    @property
    def write_lock(self) -> str:
        return f"{self.cas}/db/lock"

    def ensure_directories(self) -> None:
        """Create what is missing, durably. Raises StoreError."""
        with StorageErrors("create store", self.cas):
            for name in _READABLE:
                durable.make_directories(self.cas + name, mode=_READABLE_MODE)
            durable.make_directories(f"{self.cas}/imagelocks", mode=_READABLE_MODE)
            for name in _PRIVATE:
                durable.make_directories(self.cas + name, mode=_PRIVATE_MODE)

    def ensure_parent(self, path: str) -> None:
        """Create the two-digit directory that ``path`` lies in. Raises OSError."""
        durable.make_directories(path.rpartition("/")[0], mode=_READABLE_MODE)
