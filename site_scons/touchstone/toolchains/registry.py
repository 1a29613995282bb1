# SPDX-License-Identifier: Apache-2.0
"""Toolchains by name, and the programs they are, found once a command."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.errors import UserError, unknown
from touchstone.fingerprint import binary_digest
from touchstone.toolchains import gap_sdk, gnu, llvm
from touchstone.toolchains.commands import Commands

TOOLCHAINS = ("llvm", "gnu", "gap_sdk")


def target_commands(name: str, options: Mapping[str, Any], extra: tuple[str, ...]) -> Commands:
    """What toolchain `name` does with a target's options of that name."""
    if name == "llvm":
        return llvm.target_commands(options, extra)
    if name == "gnu":
        return gnu.target_commands(options, extra)
    if name == "gap_sdk":
        return gap_sdk.target_commands(options, extra)
    raise UserError(unknown("toolchain", name, TOOLCHAINS))


def _find(program: str) -> Path:
    if program == llvm.PROGRAM:
        return llvm.zig_path()
    return gap_sdk.find() if program == gap_sdk.PROGRAM else gnu.find(program)


class Programs:
    """The compilers' paths, environments and fingerprints; each is looked up when first wanted.

    `build` is the build folder: caches of compilers and of fingerprints lie there.
    """

    def __init__(self, build: Path) -> None:
        self._build = build
        self._paths: dict[str, Path] = {}
        self._digests: dict[tuple[str, ...], str] = {}

    def path(self, program: str) -> Path:
        """The program's path; UserError says what to install."""
        if program not in self._paths:
            self._paths[program] = _find(program)
        return self._paths[program]

    def environment(self, program: str) -> dict[str, str]:
        """The environment to run it in."""
        if program == llvm.PROGRAM:
            return llvm.environment(self._build / "zig")
        return gnu.environment()

    def local_words(self, program: str, root: Path) -> tuple[str, ...]:
        """Words ahead of the others that name the checkout `root`: no part of a stamp."""
        if program == llvm.PROGRAM:
            return ()
        if program == gap_sdk.PROGRAM:
            return gap_sdk.local_words(root)
        return gnu.local_words(root)

    def stamp(self, program: str, words: Sequence[str]) -> str:
        """One hash over what really runs and the words it is called with."""
        text = self._digest(program, words) + "\0" + "\0".join(words)
        return "tool " + hashlib.sha256(text.encode()).hexdigest()

    def fingerprints(self) -> dict[str, str]:
        """Hashes of what the programs that were called consist of."""
        return {" ".join(key): digest for key, digest in self._digests.items()}

    def _digest(self, program: str, words: Sequence[str]) -> str:
        """What the program consists of; a GCC's runtime library depends on the machine."""
        machine = () if program == llvm.PROGRAM else gnu.machine_words(words)
        key = (program, *machine)
        if key not in self._digests:
            path = self.path(program)
            files = [path] if program == llvm.PROGRAM else gnu.parts(path, machine)
            memory = self._build / "digests.json"
            self._digests[key] = " ".join(binary_digest(file, memory) for file in files)
        return self._digests[key]
