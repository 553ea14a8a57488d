"""The SQLite index of the store: name and labels to keys, URLs to what was downloaded from them.

It is derived data. Whoever uses it checks each answer against the record; when the index is missing or damaged the
records are read instead. A connection lives for one operation. It never looks at images itself.
"""

from __future__ import annotations

import os
import sqlite3

from rkt.linux import durable
from rkt.store.errors import StoreBusyError, StoreError, StoreVersionError
from rkt.store.record import ImageRecord
from rkt.store.removal import discard_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

VERSION = 1
BUSY_SECONDS = 30.0

_SCHEMA = (
    "CREATE TABLE image (key TEXT PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL,"
    " latest INTEGER NOT NULL, import_time INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX image_by_name ON image (name, latest DESC, import_time DESC, key DESC)",
    "CREATE TABLE label (key TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (key, name)) WITHOUT ROWID",
    "CREATE TABLE remote (url TEXT PRIMARY KEY, sig_url TEXT NOT NULL, etag TEXT NOT NULL, key TEXT NOT NULL,"
    " max_age INTEGER NOT NULL, download_time INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX remote_by_key ON remote (key)",
    f"PRAGMA user_version = {VERSION}",
)
#: what makes SQLite say that a file is not a usable index; everything else is a fault of the disk or the caller
_UNUSABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CANTOPEN)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class UnusableIndexError(StoreError):
    """The index is missing, damaged or of an older version: read the records, and rebuild it when possible."""

    code = "index-unusable"


class RemoteRecord:
    """What was downloaded from ``url``; ``download_time`` and ``max_age`` are seconds (section 5.4)."""

    __slots__ = ("download_time", "etag", "key", "max_age", "sig_url", "url")

    def __init__(
        self, *, url: str, key: str, sig_url: str = "", etag: str = "", max_age: int = 0, download_time: int = 0
    ) -> None:
        self.url = url
        self.key = key
        self.sig_url = sig_url
        self.etag = etag
        self.max_age = max_age
        self.download_time = download_time

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RemoteRecord):
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in self.__slots__)

    def __hash__(self) -> int:
        return hash((self.url, self.key))

    def __repr__(self) -> str:
        return f"RemoteRecord({self.url!r}, {self.key!r})"


class IndexEntry:
    """A row about an image: what the index believes."""

    __slots__ = ("image_id", "import_time_ns", "key", "latest")

    def __init__(self, *, key: str, image_id: str, latest: bool, import_time_ns: int) -> None:
        self.key = key
        self.image_id = image_id
        self.latest = latest
        self.import_time_ns = import_time_ns

    def agrees_with(self, record: ImageRecord) -> bool:
        """Whether the row was made from this state of the record."""
        mine = (self.image_id, self.latest, self.import_time_ns)
        return mine == (record.image_id, record.latest, record.import_time_ns)


class Index:
    """An open index; each method is one transaction. Durable when it returns."""

    __slots__ = ("_connection", "path")

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self.path = path

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        if isinstance(error, sqlite3.Error):
            raise _translated(error, self.path) from error

    def put_image(self, record: ImageRecord) -> None:
        """Insert or replace the rows of one image."""
        with self._connection as transaction:
            transaction.execute("BEGIN IMMEDIATE")
            _insert(transaction, record)

    def remove_images(self, keys: Iterable[str]) -> None:
        """Delete the rows of images, the downloads that led to them included."""
        with self._connection as transaction:
            transaction.execute("BEGIN IMMEDIATE")
            for key in keys:
                for table in ("label", "remote", "image"):
                    transaction.execute(f"DELETE FROM {table} WHERE key = ?", (key,))

    def find_images(self, *, name: str, labels: dict[str, str]) -> Iterator[IndexEntry]:
        """Entries that answer to a name and labels, the preferred one first (order of ``order_of_preference``)."""
        query, values = plan_find(name=name, labels=labels)
        for key, image_id, latest, import_time in self._connection.execute(query, values):
            yield IndexEntry(key=key, image_id=image_id, latest=bool(latest), import_time_ns=import_time)

    def list_keys(self) -> set[str]:
        """The keys of all images that have a row."""
        return {key for (key,) in self._connection.execute("SELECT key FROM image")}

    def find_remote(self, url: str) -> RemoteRecord | None:
        """What was downloaded from ``url``."""
        query = "SELECT url, key, sig_url, etag, max_age, download_time FROM remote WHERE url = ?"
        row = self._connection.execute(query, (url,)).fetchone()
        if row is None:
            return None
        return RemoteRecord(url=row[0], key=row[1], sig_url=row[2], etag=row[3], max_age=row[4], download_time=row[5])

    def put_remote(self, remote: RemoteRecord) -> None:
        """Remember a download, in place of an earlier one from the same URL."""
        values = (remote.url, remote.sig_url, remote.etag, remote.key, remote.max_age, remote.download_time)
        with self._connection as transaction:
            transaction.execute("BEGIN IMMEDIATE")
            transaction.execute("INSERT OR REPLACE INTO remote VALUES (?, ?, ?, ?, ?, ?)", values)

    def explain(self, *, name: str, labels: dict[str, str]) -> list[str]:
        """SQLite's plan for :meth:`find_images`, for the test that no lookup scans a table."""
        query, values = plan_find(name=name, labels=labels)
        return [str(row[3]) for row in self._connection.execute("EXPLAIN QUERY PLAN " + query, values)]

    def is_intact(self) -> bool:
        """SQLite's own check of the file; reads all of it."""
        return [row[0] for row in self._connection.execute("PRAGMA quick_check(1)")] == ["ok"]


def plan_find(*, name: str, labels: dict[str, str]) -> tuple[str, list[str]]:
    """The query of a lookup by name and labels, and its values."""
    joins, values = "", []
    for number, (label, value) in enumerate(sorted(labels.items())):
        table = f"l{number}"
        joins += f" CROSS JOIN label {table} ON {table}.key = image.key AND {table}.name = ? AND {table}.value = ?"
        values += [label, value]
    order = "import_time DESC, image.key DESC"
    if "version" not in labels:
        order = "latest DESC, " + order
    query = f"SELECT image.key, id, latest, import_time FROM image{joins} WHERE image.name = ? ORDER BY {order}"
    return query, [*values, name]


def open_index(path: str, *, write: bool) -> Index:
    """Open an existing index.

    Raises UnusableIndexError (missing, damaged, older: rebuild it), StoreVersionError (newer) or StoreError.
    """
    uri = f"file:{_quoted(path)}?mode={'rw' if write else 'ro'}"
    connection = None
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        # EXTRA, not FULL: with FULL a power cut may bring the deleted journal back, and with it the old rows,
        # after the record that depends on the new ones is already on disk (sqlite.org/pragma.html)
        connection.execute("PRAGMA synchronous = EXTRA")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreVersionError(f'index "{path}" has version {version}, this rkt knows {VERSION}', "update rkt")
        if version < VERSION:
            raise UnusableIndexError(f'index "{path}" has the old version {version}')
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise _translated(error, path) from error
    except StoreError:
        if connection is not None:
            connection.close()
        raise
    return Index(connection, path)


def build_index(path: str, records: Iterable[ImageRecord]) -> None:
    """Write a new index in place of whatever is at ``path``, durably. The caller holds the store's write lock.

    Raises StoreError or OSError; then no index is there, or the old one.
    """
    temporary = f"{path}.new"
    discard_path(temporary)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            _fill(temporary, records)
            os.fsync(fd)
        finally:
            os.close(fd)
        # the old journal goes after its database and before the new one comes: it must never be applied to another
        discard_path(path)
        discard_path(f"{path}-journal")
        durable.sync_directory(os.path.dirname(path))
        durable.publish(temporary, path)
    except BaseException:
        durable.remove_if_present(temporary)
        raise


def _fill(path: str, records: Iterable[ImageRecord]) -> None:
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            for statement in _SCHEMA:
                connection.execute(statement)
            for record in records:
                _insert(connection, record)
            connection.execute("COMMIT")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _translated(error, path) from error


def _insert(connection: sqlite3.Connection, record: ImageRecord) -> None:
    values = (record.key, record.image_id, record.name, record.latest, record.import_time_ns)
    connection.execute("INSERT OR REPLACE INTO image VALUES (?, ?, ?, ?, ?)", values)
    connection.execute("DELETE FROM label WHERE key = ?", (record.key,))
    rows = [(record.key, name, value) for name, value in dict(record.labels).items()]
    connection.executemany("INSERT INTO label VALUES (?, ?, ?)", rows)


def _translated(error: sqlite3.Error, path: str) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _UNUSABLE:
        return UnusableIndexError(f'index "{path}" is unusable: {error}')
    if code in _BUSY:
        return StoreBusyError(f'index "{path}" is locked by another process for more than {BUSY_SECONDS:g} seconds')
    if code == sqlite3.SQLITE_FULL:
        return StoreError(f'cannot write index "{path}": no space left on device', "free space on that file system")
    return StoreError(f'cannot use index "{path}": {error}')


def _quoted(path: str) -> str:
    """``path`` for a file: URI: everything but unreserved characters and the slash as %XX."""
    plain = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in os.fsencode(path))
