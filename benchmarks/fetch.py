"""Fetch of a 160 MB gzip image into an empty store, without rendering, beside pigz, tee and sha512sum on the same disk.

Target: at most 0.8 times the pipe. Both sides end with their bytes on the disk.
"""

from __future__ import annotations

from measurement import Contender, interleave, print_table, print_target, ratio
from workspace import Workspace

PIPE = 'set -e; pigz -dc "$1" | tee "$2" | sha512sum; sync "$2"'
GZIP_PIPE = 'set -e; gzip -dc "$1" | tee "$2" | sha512sum; sync "$2"'


def main(rounds: int = 5) -> None:
    with Workspace() as workspace:
        image = workspace.make_sample_image()
        output = workspace.path / "sample.tar"

        def remove_output() -> None:
            output.unlink(missing_ok=True)

        contenders = interleave(
            [
                Contender("rkt", workspace.rkt("fetch", image), before=workspace.remove_data),
                Contender(
                    "pigz | tee | sha512sum; sync", ["bash", "-c", PIPE, "pipe", image, output], before=remove_output
                ),
                Contender(
                    "gzip | tee | sha512sum; sync",
                    ["bash", "-c", GZIP_PIPE, "pipe", image, output],
                    before=remove_output,
                ),
            ],
            rounds=rounds,
        )
    print_table(f"fetch of a 160 MB gzip image, {rounds} interleaved runs", contenders)
    found = ratio(contenders, "rkt", "pigz | tee | sha512sum; sync")
    if found is not None:
        print_target("rkt fetch / pigz pipe", found, limit=0.8)


if __name__ == "__main__":
    main()
