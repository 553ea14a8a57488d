"""The conventions of docs/architecture.md that a program can check: dangerous calls, durable writes, names, sizes."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

LARGEST_MODULE_LINES = 400
LARGEST_FUNCTION_LINES = 60
FORBIDDEN_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bNotImplementedError\b")

#: functions that make, write or move files without rkt/linux/durable.py, and why they may
DIRECT_WRITERS = {
    "rkt/aci/build.py::_write_durably": "an archive while it is built; published by durable",
    "rkt/aci/extraction.py::_make_hard_link": "an entry of an archive, in a root file system",
    "rkt/linux/durable.py::write_file": "it is the one way",
    "rkt/linux/durable.py::publish": "it is the one way",
    "rkt/linux/durable.py::rename": "it is the one way",
    "rkt/linux/nodes.py::apply": "an empty file as the target of a mount, in a root file system",
    "rkt/pod/directory.py::write_file": "without sync: files of a pod that runs at once, and survives no power cut",
    "rkt/pod/removal.py::_park": "moves what is being removed",
    "rkt/stage1/native/supervisor.py::_write_runtime_file": "pids: true only as long as the machine is up",
    "rkt/store/image_store.py::touch": "the time of last use, best effort",
    "rkt/store/index.py::build_index": "an empty file that sqlite fills; published by durable",
    "rkt/store/locks.py::_open_lock_file": "a lock file has no content",
    "rkt/store/removal.py::_move": "moves what is being removed",
    "rkt/store/temporary.py::open_temporary": "the blob while it is received; published by durable",
    "rkt/store/tree_store.py::_write": "part of an unfinished tree, which syncfs makes durable as a whole",
}

#: modules that call a method named verify in sight of pgpy, and why it is not PGPKey.verify
OTHER_VERIFIERS: dict[str, str] = {}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def dotted(function: ast.expr) -> str:
    """``os.rename`` for the function of a call; ``.rename`` when its owner is not a plain name."""
    if isinstance(function, ast.Attribute):
        return (
            f"{dotted(function.value) if isinstance(function.value, (ast.Name, ast.Attribute)) else ''}.{function.attr}"
        )
    return function.id if isinstance(function, ast.Name) else ""


def found(trees: dict[str, ast.Module], is_bad: Callable[[ast.Call], bool]) -> dict[str, list[int]]:
    """{module: lines of its bad calls}."""
    lines = {path: [call.lineno for call in calls(tree) if is_bad(call)] for path, tree in trees.items()}
    return {path: numbers for path, numbers in lines.items() if numbers}


def test_nothing_extracts_with_tarfile(product_trees: dict[str, ast.Module]) -> None:
    """tarfile writes outside the target, with the data filter as well (CVE-2025-4517)."""
    assert not found(product_trees, lambda call: dotted(call.func).endswith((".extractall", "tarfile.open")))


def test_nothing_runs_a_shell(product_trees: dict[str, ast.Module]) -> None:
    def is_shell(call: ast.Call) -> bool:
        named = dotted(call.func) in {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
        return named or any(keyword.arg == "shell" for keyword in call.keywords)

    assert not found(product_trees, is_shell)


def test_signatures_are_not_verified_by_pgpy(product_trees: dict[str, ast.Module]) -> None:
    """PGPKey.verify accepts a subkey that nothing binds to the trusted key."""
    near_pgpy = {path: tree for path, tree in product_trees.items() if _imports(tree, "pgpy")}
    verifiers = found(near_pgpy, lambda call: dotted(call.func).endswith(".verify"))
    assert verifiers.keys() == OTHER_VERIFIERS.keys(), verifiers


def _imports(tree: ast.Module, package: str) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == package for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            return True
    return False


def test_files_are_written_through_the_durable_module(product_trees: dict[str, ast.Module]) -> None:
    writers = {
        f"{path}::{function.name}"
        for path, tree in product_trees.items()
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(map(_writes, calls(function)))
    }
    assert writers - DIRECT_WRITERS.keys() == set(), "use rkt.linux.durable, or say on the list why not"
    assert DIRECT_WRITERS.keys() - writers == set(), "they do not write any more: take them off the list"


def _writes(call: ast.Call) -> bool:
    name = dotted(call.func)
    if name in {"os.rename", "os.replace", "os.link"} or name.endswith((".write_text", ".write_bytes")):
        return True
    if name in {"open", "io.open", "os.fdopen"}:
        return any(letter in _mode_of(call) for letter in "wax+")
    if name == "os.open" and len(call.args) > 1:
        return bool(re.search(r"O_(CREAT|TRUNC|APPEND|TMPFILE)", ast.unparse(call.args[1])))
    return False


def _mode_of(call: ast.Call) -> str:
    candidates = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return "".join(str(node.value) for node in candidates if isinstance(node, ast.Constant))


def test_modules_are_named_after_what_they_are(product_trees: dict[str, ast.Module]) -> None:
    words = {path: set(re.split(r"[/_.]", path)) for path in product_trees}
    assert not [path for path, parts in words.items() if parts & FORBIDDEN_NAMES]


def test_modules_say_what_they_do(product_trees: dict[str, ast.Module]) -> None:
    assert not [path for path, tree in product_trees.items() if not ast.get_docstring(tree)]


def test_annotations_are_never_evaluated(product_trees: dict[str, ast.Module]) -> None:
    """Evaluating them at every start costs time, and needs typing."""

    def defers(tree: ast.Module) -> bool:
        return any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)

    has_code = {path: tree for path, tree in product_trees.items() if any(_has_annotations(node) for node in tree.body)}
    assert not [path for path, tree in has_code.items() if not defers(tree)]


def _has_annotations(node: ast.stmt) -> bool:
    return any(isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.AnnAssign)) for inner in ast.walk(node))


def test_modules_and_functions_stay_small(repository: Path, product_trees: dict[str, ast.Module]) -> None:
    large = []
    for path, tree in product_trees.items():
        lines = len((repository / path).read_text(encoding="utf-8").splitlines())
        if lines > LARGEST_MODULE_LINES:
            large.append(f"{path}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LARGEST_FUNCTION_LINES:
                    large.append(f"{path}:{node.lineno} {node.name}: {length} lines")
    assert not large


def test_nothing_is_left_unfinished(repository: Path, product_trees: dict[str, ast.Module]) -> None:
    assert not [
        f"{path}:{number}"
        for path in product_trees
        for number, line in enumerate((repository / path).read_text(encoding="utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
