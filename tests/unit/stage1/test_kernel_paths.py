"""The tables of hidden kernel files: what is on them, and that they do not contradict each other."""

from __future__ import annotations

from rkt.stage1 import kernel_paths

TABLES = {
    "files": kernel_paths.HIDDEN_PROC_FILES,
    "directories": kernel_paths.HIDDEN_PROC_DIRECTORIES,
    "read-only": kernel_paths.READ_ONLY_PROC,
    "sys": kernel_paths.HIDDEN_SYS_DIRECTORIES,
}


def test_names_are_relative_sorted_and_appear_once() -> None:
    for name, table in TABLES.items():
        assert list(table) == sorted(set(table)), name
        assert not [path for path in table if path.startswith("/") or ".." in path], name


def test_no_path_of_proc_is_in_two_tables() -> None:
    proc = [*TABLES["files"], *TABLES["directories"], *TABLES["read-only"]]
    assert len(proc) == len(set(proc))


def test_what_the_older_runtimes_hide_is_hidden() -> None:
    """Docker's and rkt 1.30's lists are a part of ours."""
    assert {"kcore", "keys", "latency_stats", "timer_list", "sched_debug"} <= set(TABLES["files"])
    assert {"acpi", "asound", "scsi"} <= set(TABLES["directories"])
    assert {"bus", "fs", "irq", "sys", "sysrq-trigger"} <= set(TABLES["read-only"])
    assert "firmware" in TABLES["sys"]
