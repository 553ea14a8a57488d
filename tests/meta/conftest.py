"""What the meta tests look at: the product's Python files and their syntax trees."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent
PRODUCT = ("rkt", "conformance", "vm")


@pytest.fixture(scope="session")
def product_trees(repository: Path) -> dict[str, ast.Module]:
    """{path below the repository: syntax tree} of every module of the product."""
    paths = [path for folder in PRODUCT for path in sorted((repository / folder).rglob("*.py"))]
    return {path.relative_to(repository).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@pytest.fixture(scope="session")
def spec_coverage() -> ModuleType:
    """The generator beside these tests, as a module."""
    specification = importlib.util.spec_from_file_location("spec_coverage", HERE / "spec_coverage.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
