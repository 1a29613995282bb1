# SPDX-License-Identifier: Apache-2.0
"""Fingerprints of what is no file of the graph: stages' Python, toolchains, libraries.

Each is as narrow as it can be: an edit of the report must not simulate anything, an edit of the
check must not either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from touchstone.files import canonical_json
from touchstone.fingerprint import ModuleGraph, binary_digest
from touchstone.graph import CellPlan


class Stamps:
    """All fingerprints of one command; each is computed once, when it is first asked for."""

    def __init__(self, root: Path, compiler: Path, unicorn: Path | None, memory: Path) -> None:
        self._root = root
        self._compiler = compiler
        self._unicorn = unicorn
        self._memory = memory
        self._modules = ModuleGraph(
            [("golden", root / "golden"), ("touchstone", root / "site_scons" / "touchstone")]
        )

    def toolchain(self, words: Sequence[str]) -> str:
        """The compiler's binary and the words it is called with."""
        text = self._compiler_digest + "\0" + "\0".join(words)
        return "tool " + hashlib.sha256(text.encode()).hexdigest()

    def run_spec(self, plan: CellPlan) -> str:
        """What a run depends on besides files: its specification and the code that runs it."""
        library = self._unicorn_digest if "core" in plan.run_spec else ""
        stamps = {"stage": self._run_stage, "library": library}
        return canonical_json({**json.loads(plan.run_spec), **stamps})

    def check_spec(self, plan: CellPlan) -> str:
        """The check policy and the code that checks."""
        return canonical_json({**json.loads(plan.check_spec), "stage": self._check_stage})

    def vectors_modules(self, golden: str) -> list[str]:
        """The files that decide a kernel's vectors."""
        return self._files(f"golden.{golden}", "golden.generate")

    def packer_modules(self, packers: Sequence[tuple[str, str]]) -> list[str]:
        """The files that decide a layout."""
        return self._files("golden.pack", *(f"golden.packers.{name}" for _, name in packers))

    def loadable_modules(self) -> list[str]:
        """The files that decide what of a firmware is loaded."""
        return self._files("touchstone.image")

    def costs_modules(self) -> list[str]:
        """The files that decide static instruction costs."""
        return self._files("touchstone.simulators.cortexm_costs")

    def _files(self, *modules: str) -> list[str]:
        return [path.relative_to(self._root).as_posix() for path in self._modules.closure(*modules)]

    @cached_property
    def _compiler_digest(self) -> str:
        return binary_digest(self._compiler, self._memory)

    @cached_property
    def _unicorn_digest(self) -> str:
        return "" if self._unicorn is None else binary_digest(self._unicorn, self._memory)

    @cached_property
    def _run_stage(self) -> str:
        return self._modules.digest(
            "touchstone.run_cell", "touchstone.runfile", "touchstone.simulators.factory"
        )

    @cached_property
    def _check_stage(self) -> str:
        return self._modules.digest("touchstone.check")
