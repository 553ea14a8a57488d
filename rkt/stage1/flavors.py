"""The built-in flavours: names, modules, and what stands for them in a pod directory. Pure.

Modules are named as strings so that choosing one imports no other.
"""

from __future__ import annotations

import sys

from rkt import __version__, stage_contract

#: flavour -> module with ``run`` and ``collect_garbage``
MODULES = {"native": "rkt.stage1.native.entrypoint"}


def builtin_manifest(flavor: str) -> bytes:
    """The image manifest of a built-in flavour, with the entrypoints of the contract."""
    annotations = (
        (stage_contract.RUN, "/init"),
        (stage_contract.INTERFACE_VERSION, str(stage_contract.IMPLEMENTED_INTERFACE)),
    )
    words = ",".join(f'{{"name":"{name}","value":"{value}"}}' for name, value in annotations)
    return (
        f'{{"acKind":"ImageManifest","acVersion":"0.8.11","name":"coreos.com/rkt/stage1-{flavor}",'
        f'"labels":[{{"name":"version","value":"{__version__}"}},{{"name":"os","value":"linux"}},'
        f'{{"name":"arch","value":"amd64"}}],"annotations":[{words}]}}'
    ).encode()


def entrypoint_script(flavor: str) -> bytes:
    """``init`` of a built-in flavour: the contract's arguments, answered by the same function in a new process."""
    return f"#!{sys.executable} -I\nfrom {MODULES[flavor]} import main\n\nmain()\n".encode()
