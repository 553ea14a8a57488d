"""``rkt image build``: a directory with a manifest and a rootfs becomes an image archive (actool's build)."""

from __future__ import annotations

from rkt.cli.flags import Flag
from rkt.cli.verb import Invocation, Verb
from rkt.errors import UsageError


def execute(invocation: Invocation) -> int:
    from rkt.aci.build import build_aci

    flags = invocation.flags
    if len(invocation.words) != 2:
        raise UsageError("must provide directory and output file")
    directory, output = invocation.words
    if flags.boolean("no-compression") and flags.is_given("compression"):
        raise UsageError("--compression and --no-compression cannot be used together")
    build_aci(
        directory,
        output,
        overwrite=flags.boolean("overwrite"),
        compression="none" if flags.boolean("no-compression") else flags.text("compression", "gzip"),
        owner_root=flags.boolean("owner-root"),
    )
    return 0


VERB = Verb(
    usage="DIRECTORY OUTPUT.aci",
    description=(
        "Builds an image archive from an image layout: a directory that holds the file manifest and the directory "
        "rootfs. The same input gives the same bytes. No time in the archive is later than SOURCE_DATE_EPOCH, if the "
        "environment has it."
    ),
    flags=(
        Flag("compression", "gzip, none, bzip2, xz or zstd", default="gzip"),
        Flag("no-compression", "the same as --compression=none", boolean=True),
        Flag("overwrite", "replace an existing output file", boolean=True),
        Flag("owner-root", "make everything belong to root", boolean=True),
    ),
    execute=execute,
)
