"""``rkt image list``: the images in the store as a table or as JSON (section 1.16)."""

from __future__ import annotations

import time

from rkt.cli.flags import Flag
from rkt.cli.list_format import FORMAT_FLAGS, check_format
from rkt.cli.verb import Invocation, Verb
from rkt.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rkt.store.record import ImageRecord

#: field -> column heading
FIELDS = {"id": "ID", "name": "NAME", "size": "SIZE", "importtime": "IMPORT TIME", "lastused": "LAST USED"}
SORTABLE = ("name", "importtime", "lastused", "size")
ORDERS = ("asc", "desc")
_SHORT_ID = len("sha512-") + 12


class Row:
    """One image: its record, the bytes that it occupies with its tree, and when it was used last."""

    __slots__ = ("last_used_ns", "record", "size_bytes")

    def __init__(self, record: ImageRecord, *, size_bytes: int, last_used_ns: int) -> None:
        self.record = record
        self.size_bytes = size_bytes
        self.last_used_ns = last_used_ns

    @property
    def name(self) -> str:
        version = self.record.label("version")
        return self.record.name if version is None else f"{self.record.name}:{version}"

    def sort_key(self, field: str) -> tuple[str | int, str]:
        values: dict[str, str | int] = {
            "name": self.name,
            "importtime": self.record.import_time_ns,
            "lastused": self.last_used_ns,
            "size": self.size_bytes,
        }
        return values[field], self.record.key

    def cell(self, field: str, *, full: bool, now: float) -> str:
        """The text of one column."""
        from rkt.cli.units import format_age, format_moment, format_size

        if field == "id":
            return self.record.image_id if full else self.record.image_id[:_SHORT_ID]
        if field == "name":
            return self.name
        if field == "size":
            return str(self.size_bytes) if full else format_size(self.size_bytes)
        moment = self.record.import_time_ns if field == "importtime" else self.last_used_ns
        return format_moment(moment) if full else format_age(now - moment / 1e9)

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.record.image_id,
            "name": self.name,
            "import_time": self.record.import_time_ns,
            "last_used_time": self.last_used_ns,
            "size": self.size_bytes,
        }


def execute(invocation: Invocation) -> int:
    from rkt.cli.output import write, write_json
    from rkt.cli.table import format_table

    invocation.no_words()
    flags = invocation.flags
    output = check_format(flags)
    fields = parse_fields(flags.text("fields", ",".join(FIELDS)))
    sort, order = flags.text("sort", "importtime"), flags.text("order", "asc")
    if sort not in SORTABLE:
        raise UsageError(f'invalid value "{sort}" for flag --sort', f"use one of: {', '.join(SORTABLE)}")
    if order not in ORDERS:
        raise UsageError(f'invalid value "{order}" for flag --order', f"use one of: {', '.join(ORDERS)}")
    rows = sorted(_load_rows(invocation), key=lambda row: row.sort_key(sort), reverse=order == "desc")
    if output:
        write_json([row.as_json() for row in rows], pretty=output == "json-pretty")
        return 0
    now, full = time.time(), flags.boolean("full")
    table = [[row.cell(field, full=full, now=now) for field in fields] for row in rows]
    if not flags.boolean("no-legend"):
        table.insert(0, [FIELDS[field] for field in fields])
    write(format_table(table))
    return 0


def parse_fields(text: str) -> list[str]:
    """The columns asked for. Raises UsageError."""
    fields = text.split(",")
    for field in fields:
        if field not in FIELDS:
            raise UsageError(f'invalid value "{field}" for flag --fields', f"use some of: {', '.join(FIELDS)}")
    return fields


def _load_rows(invocation: Invocation) -> list[Row]:
    from rkt.store.image_store import open_image_store
    from rkt.store.tree_store import open_tree_store

    with open_image_store(invocation.settings.data) as store:
        trees = open_tree_store(store).sizes_by_image()
        return [
            Row(record, size_bytes=record.size + trees.get(record.key, 0), last_used_ns=store.last_used_ns(record))
            for record in store.list_images()
        ]


VERB = Verb(
    usage="",
    description="Lists the images in the store.",
    flags=(
        Flag("fields", "columns, separated by commas", default=",".join(FIELDS)),
        Flag("sort", f"column to sort by: {', '.join(SORTABLE)}", default="importtime"),
        Flag("order", "asc or desc", default="asc"),
        *FORMAT_FLAGS,
    ),
    execute=execute,
)
