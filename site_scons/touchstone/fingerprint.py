# SPDX-License-Identifier: Apache-2.0
"""Fingerprints: what a result depends on besides its files in the graph."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path

from touchstone.files import read_json, write_json


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def binary_digest(path: Path, memory: Path) -> str:
    """SHA-256 of a big binary, remembered by (path, size, mtime) in the JSON file `memory`."""
    status = path.stat()
    key = f"{path}:{status.st_size}:{status.st_mtime_ns}"
    known = read_json(memory)
    if not isinstance(known, dict):
        known = {}
    if key not in known:
        known = {**known, key: file_digest(path)}
        write_json(memory, known)
    return str(known[key])


class ModuleGraph:
    """Which files of a Python package a module depends on, found by reading its imports.

    Only imports by absolute name are followed (the house style), and only inside `packages`.
    """

    def __init__(self, roots: Iterable[tuple[str, Path]]) -> None:
        self._packages = dict(roots)
        self._direct: dict[str, frozenset[str]] = {}

    def closure(self, *modules: str) -> tuple[Path, ...]:
        """The files of `modules` and of all that they import, sorted."""
        seen: set[str] = set()
        todo = list(modules)
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo += self._imports(module)
                # Importing a module runs its packages first.
                todo += [module.rpartition(".")[0]] if "." in module else []
        files = (self._file(module) for module in seen)
        return tuple(sorted(path for path in files if path is not None))

    def digest(self, *modules: str) -> str:
        """One hash over the contents of the closure."""
        digest = hashlib.sha256()
        for path in self.closure(*modules):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def _imports(self, module: str) -> frozenset[str]:
        if module not in self._direct:
            path = self._file(module)
            found = set() if path is None else _imported_names(path)
            self._direct[module] = frozenset(name for name in found if self._file(name) is not None)
        return self._direct[module]

    def _file(self, module: str) -> Path | None:
        package, _, rest = module.partition(".")
        folder = self._packages.get(package)
        if folder is None:
            return None
        path = folder.joinpath(*rest.split(".")) if rest else folder
        for candidate in (path / "__init__.py", path.with_suffix(".py")):
            if candidate.is_file():
                return candidate
        return None


def _imported_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), filename=path.name)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names
