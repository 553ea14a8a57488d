"""What stands for a built-in flavour in a pod directory."""

from __future__ import annotations

from importlib import import_module

import pytest

from rkt import __version__, stage_contract
from rkt.schema.image import decode_image_manifest
from rkt.stage1.flavors import MODULES, builtin_manifest, entrypoint_script


@pytest.mark.parametrize("flavor", sorted(MODULES))
def test_manifest_is_a_valid_image_manifest_with_the_contract(flavor: str) -> None:
    manifest = decode_image_manifest(builtin_manifest(flavor))
    assert str(manifest.name) == f"coreos.com/rkt/stage1-{flavor}"
    assert manifest.label("version") == __version__
    assert (manifest.label("os"), manifest.label("arch")) == ("linux", "amd64")
    assert manifest.annotation(stage_contract.RUN) == "/init"
    assert manifest.annotation(stage_contract.INTERFACE_VERSION) == str(stage_contract.IMPLEMENTED_INTERFACE)


@pytest.mark.parametrize("flavor", sorted(MODULES))
def test_module_has_the_entrypoints(flavor: str) -> None:
    module = import_module(MODULES[flavor])
    assert all(callable(getattr(module, name)) for name in ("run", "collect_garbage", "main"))


@pytest.mark.parametrize("flavor", sorted(MODULES))
def test_script_is_python_that_is_isolated_from_its_caller(flavor: str) -> None:
    first, _, rest = entrypoint_script(flavor).decode().partition("\n")
    assert first.startswith("#!/") and first.endswith(" -I")
    compile(rest, "init", "exec")
    assert MODULES[flavor] in rest


def test_default_flavor_is_built_in() -> None:
    assert stage_contract.DEFAULT_FLAVOR in MODULES
