"""Start-up: ``rkt version`` beside an interpreter that does nothing. Target: at most 2 times ``python3 -c pass``."""

from __future__ import annotations

import sys

from measurement import RKT, Contender, interleave, print_table, print_target, ratio


def main(rounds: int = 40) -> None:
    contenders = interleave(
        [
            Contender("rkt", [RKT, "version"]),
            Contender("python3 -c pass", [sys.executable, "-c", "pass"]),
            Contender("python3 -I -c pass", [sys.executable, "-I", "-c", "pass"]),
            Contender("true", ["/bin/true"]),
        ],
        rounds=rounds,
    )
    print_table(f"rkt version, {rounds} interleaved runs", contenders)
    found = ratio(contenders, "rkt", "python3 -c pass")
    if found is not None:
        print_target("rkt version / python3 -c pass", found, limit=2.0)


if __name__ == "__main__":
    main()
