"""The flags of ``run``, ``prepare`` and ``run-prepared`` in groups, as the verbs share them (sections 1.3 to 1.5).

Names and help only; the values are read by :mod:`rkt.cli.pod_request` and :mod:`rkt.cli.launch_flags`.
"""

from __future__ import annotations

from rkt.cli.flags import Flag

_NETWORKING = "networking beyond none and host comes with a later version"
_STAGE1 = "choosing a stage1 image comes with a later version"

#: what is fetched, and how
FETCH_FLAGS = (
    Flag("pull-policy", "when to fetch an image: never, new (not in the store yet), update", default="new"),
    Flag("store-only", boolean=True, deprecated="please use --pull-policy=never"),
    Flag("no-store", boolean=True, deprecated="please use --pull-policy=update"),
)

#: what a pod is made of
POD_FLAGS = (
    Flag("inherit-env", "hand rkt's own environment to the apps, where they do not set it", boolean=True),
    Flag("no-overlay", "copy the images' files instead of mounting an overlay", boolean=True),
    Flag("pod-manifest", "run the pod that a manifest file describes, instead of images"),
    Flag("port", "host port of an app's port: NAME:HOSTPORT or NAME:HOSTIP:HOSTPORT", repeatable=True),
    Flag("private-users", boolean=True, unavailable="user namespaces come with a later version"),
    Flag("set-env", "environment variable of every app, NAME=VALUE; overrides all others", repeatable=True),
    Flag("set-env-file", "file with environment variables of every app, one NAME=VALUE a line", repeatable=True),
    Flag(
        "volume",
        "volume of the pod: NAME,kind=host,source=/PATH[,readOnly=BOOL][,recursive=BOOL], "
        "NAME,kind=empty[,mode=MODE][,uid=UID][,gid=GID], or NAME:/PATH",
        repeatable=True,
    ),
    *(Flag(f"stage1-{what}", unavailable=_STAGE1) for what in ("url", "path", "name", "hash", "from-dir")),
)

#: what belongs to the image before it
IMAGE_FLAGS = (
    Flag("annotation", "annotation of the app in the pod manifest, NAME=VALUE", of_image=True, repeatable=True),
    Flag("caps-remove", "capabilities to take away, separated by commas", of_image=True, repeatable=True),
    Flag("caps-retain", "the only capabilities to keep, separated by commas", of_image=True, repeatable=True),
    Flag("cap-remove", of_image=True, deprecated="please use --caps-remove"),
    Flag("cap-retain", of_image=True, deprecated="please use --caps-retain"),
    Flag("cpu", "limit of CPU time in cores: 500m, 1, 1.5", of_image=True),
    Flag("cpu-shares", "weight against others when the CPU is short, 2 to 262144", of_image=True),
    Flag("environment", "environment variable of the app, NAME=VALUE", of_image=True, repeatable=True),
    Flag("exec", "program to run instead of the image's", of_image=True),
    Flag("group", "group of the app: number, name, or path of a file that it owns", of_image=True),
    Flag("memory", "limit of memory: 16M, 1Gi", of_image=True),
    Flag(
        "mount", "volume and where it is mounted, volume=NAME,target=/PATH; before any image: in all apps",
        of_image=True, repeatable=True,
    ),
    Flag("name", "name of the app; the last part of the image's name by default", of_image=True),
    Flag("oom-score-adj", "how soon the kernel kills the app when memory is short, -1000 to 1000", of_image=True),
    Flag("readonly-rootfs", "make the app's root file system read-only", boolean=True, of_image=True),
    Flag("seccomp", "system call filter: mode=retain|remove[,errno=ERRNO],SYSCALL[,...]", of_image=True),
    Flag("signature", "file of the image's detached signature", of_image=True),
    Flag("supplementary-gids", "further groups of the app, numbers separated by commas", of_image=True),
    Flag("user", "user of the app: number, name, or path of a file that it owns", of_image=True),
    Flag("user-annotation", "free annotation of the app, KEY=VALUE", of_image=True, repeatable=True),
    Flag("user-label", "free label of the app, KEY=VALUE", of_image=True, repeatable=True),
    Flag("working-dir", "working directory of the app, an absolute path", of_image=True),
    *(
        Flag(name, of_image=True, unavailable="attaching to streams comes with a later version")
        for name in ("stdin", "stdout", "stderr")
    ),
)  # fmt: skip

#: how a pod runs
LAUNCH_FLAGS = (
    Flag("hostname", "host name of the pod; rkt-UUID by default"),
    Flag("interactive", "connect the terminal to the one app of the pod", boolean=True),
    Flag("ipc", "System V IPC and message queues: private, parent (the host's), auto"),
    Flag("net", "network of the pod: none (loopback only) or host", implied="default", repeatable=True),
    *(Flag(name, unavailable=_NETWORKING) for name in ("dns", "dns-domain", "dns-opt", "dns-search", "hosts-entry")),
    Flag("mds-register", boolean=True, unavailable="the metadata service comes with a later version"),
)
