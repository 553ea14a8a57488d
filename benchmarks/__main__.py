"""``python benchmarks [NAME...]``: all benchmarks, or those that are named, one after the other."""

from __future__ import annotations

import importlib
import os
import platform
import sys

NAMES = ("version", "run_latency", "fetch", "render", "memory")


def main() -> None:
    if os.geteuid() != 0:
        sys.exit("benchmarks: not root; run_latency, render and memory run pods")
    print(f"Python {platform.python_version()}, Linux {platform.release()}, {os.cpu_count()} CPUs")
    for name in sys.argv[1:] or NAMES:
        importlib.import_module(name).main()


if __name__ == "__main__":
    main()
