"""Kernel files that no app needs: hidden, or readable but not writable. Pure tables, shared by the flavours.

The lists are wider than those of rkt 1.30, Docker and podman (``docs/security.md`` has the comparison). A path that a
kernel does not have is skipped. ``--insecure-options=paths`` switches all of it off.
"""

from __future__ import annotations

#: files below /proc that read as empty and cannot be written
HIDDEN_PROC_FILES = (
    "buddyinfo",
    "cmdline",
    "config.gz",
    "interrupts",
    "iomem",
    "ioports",
    "kallsyms",
    "kcore",
    "key-users",
    "keys",
    "kmem",
    "kmsg",
    "kpagecgroup",
    "kpagecount",
    "kpageflags",
    "latency_stats",
    "mem",
    "modules",
    "pagetypeinfo",
    "sched_debug",
    "slabinfo",
    "softirqs",
    "timer_list",
    "timer_stats",
    "vmallocinfo",
    "zoneinfo",
)

#: directories below /proc that look empty
HIDDEN_PROC_DIRECTORIES = ("acpi", "asound", "driver", "pressure", "scsi", "tty")

#: paths below /proc that are readable but not writable
READ_ONLY_PROC = ("bus", "dynamic_debug", "fs", "irq", "mtrr", "sys", "sysrq-trigger")

#: directories below /sys that look empty; the rest of /sys is read-only as a whole
HIDDEN_SYS_DIRECTORIES = ("bus", "dev", "firmware", "fs", "hypervisor", "kernel", "module", "power")
