# SPDX-License-Identifier: Apache-2.0
"""Fingerprints: what a result depends on besides its files in the graph."""

from __future__ import annotations

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
    """SHA-256 of a big binary, remembered in the JSON file `memory`.

    By path, size, inode and both times: an installer may set the one, nobody the other.
    """
    status = path.stat()
    times = f"{status.st_mtime_ns}:{status.st_ctime_ns}"
    key = f"{path}:{status.st_size}:{status.st_ino}:{times}"
    known = read_json(memory)
    if not isinstance(known, dict):
        known = {}
    if key not in known:
        known = {**known, key: file_digest(path)}
        write_json(memory, known)
    return str(known[key])


class ModuleGraph:
    """Which files of a Python package a module depends on, found by reading its imports.

    Only imports by absolute name are followed (the house style), and only inside the packages at
    `roots`: a package may have several folders, of which the first that has a module counts.
    `memory` is a JSON file that remembers the imports of a file by its content: parsing them all
    would be a fifth of a command that has nothing to do.
    """

    def __init__(self, roots: Iterable[tuple[str, Path]], memory: Path | None = None) -> None:
        self._packages: dict[str, list[Path]] = {}
        for package, folder in roots:
            self._packages.setdefault(package, []).append(folder)
        self._direct: dict[str, frozenset[str]] = {}
        self._files: dict[str, Path | None] = {}
        self._memory = memory
        known = None if memory is None else read_json(memory)
        self._known: dict[str, list[str]] = known if isinstance(known, dict) else {}
        self._learnt = False

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
        if self._learnt and self._memory is not None:
            write_json(self._memory, self._known)
            self._learnt = False
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
            found = [] if path is None else self._imported(path)
            self._direct[module] = frozenset(name for name in found if self._file(name) is not None)
        return self._direct[module]

    def _imported(self, path: Path) -> list[str]:
        data = path.read_bytes()
        key = hashlib.sha256(data).hexdigest()
        names = self._known.get(key)
        if not isinstance(names, list):
            names = sorted(_imported_names(data, path.name))
            self._known[key] = names
            self._learnt = True
        return names

    def _file(self, module: str) -> Path | None:
        if module not in self._files:
            self._files[module] = self._find(module)
        return self._files[module]

    def _find(self, module: str) -> Path | None:
        package, _, rest = module.partition(".")
        for folder in self._packages.get(package, ()):
            path = folder.joinpath(*rest.split(".")) if rest else folder
            for candidate in (path / "__init__.py", path.with_suffix(".py")):
                if candidate.is_file():
                    return candidate
        return None


def _imported_names(source: bytes, name: str) -> set[str]:
    # Imported here: once every file is remembered, nothing is parsed.
    import ast

    names: set[str] = set()
    for node in ast.walk(ast.parse(source, filename=name)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names
