# SPDX-License-Identifier: Apache-2.0
"""Fingerprints of what is no file of the graph: stages' Python, toolchains, libraries.

Each is as narrow as it can be: an edit of the report must not simulate anything, an edit of the
check must not either.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from touchstone.files import canonical_json
from touchstone.fingerprint import ModuleGraph, binary_digest
from touchstone.graph import CellPlan
from touchstone.simulators.registry import EMBEDDED, EXTERNAL, external_of, find_external, require


class Stamps:
    """All fingerprints of one command; each is computed once, when it is first asked for."""

    def __init__(self, root: Path, unicorn: Path | None, memory: Path, support: str = "") -> None:
        self._root = root
        self._unicorn = unicorn
        self._memory = memory
        self._installed: dict[str, str] = {}
        self._closures: dict[tuple[str, ...], list[str]] = {}
        self._specs: dict[str, str] = {}
        self._run_stages: dict[str, str] = {}
        folders = [("golden", root / place / "golden") for place in dict.fromkeys((support, ""))]
        folders.append(("kernels", root / support / "kernels"))
        folders.append(("touchstone", root / support / "site_scons" / "touchstone"))
        self._modules = ModuleGraph(folders, memory.with_name("imports.json"))

    def run_spec(self, plan: CellPlan) -> str:
        """What a run depends on besides files: its specification and the code that runs it."""
        spec = json.loads(plan.run_spec)
        stamps = {
            "stage": self._run_stage(spec["adapter"]),
            "fingerprint": self._outside(plan, spec),
        }
        return canonical_json({**spec, **stamps})

    def fingerprints(self) -> dict[str, str]:
        """Hashes of the installed simulators that were asked for, and of the unicorn library."""
        found = {Path(name).name: digest for name, digest in self._installed.items()}
        if "_unicorn_digest" in vars(self):
            found["unicorn"] = self._unicorn_digest
        return found

    def check_spec(self, plan: CellPlan) -> str:
        """The check policy and the code that checks."""
        if plan.check_spec not in self._specs:
            spec = {**json.loads(plan.check_spec), "stage": self._check_stage}
            self._specs[plan.check_spec] = canonical_json(spec)
        return self._specs[plan.check_spec]

    def vectors_modules(self, golden: str) -> list[str]:
        """The files that decide a kernel's vectors."""
        return self._files(f"golden.{golden}", "golden.generate")

    def packer_modules(self, packers: Sequence[tuple[str, str]]) -> list[str]:
        """The files that decide a layout."""
        return self._files("golden.pack", *(f"golden.packers.{name}" for _, name in packers))

    def generator_modules(self, generator: str) -> list[str]:
        """The files that decide a generated source."""
        return self._files(generator)

    def vectors_stage(self, golden: str) -> str:
        """One text for the contents of `vectors_modules`: a node instead of a dozen for each of
        hundreds of vectors."""
        return self._stage(f"golden.{golden}", "golden.generate")

    def packers_stage(self, packers: Sequence[tuple[str, str]]) -> str:
        """The same for `packer_modules`."""
        return self._stage("golden.pack", *(f"golden.packers.{name}" for _, name in packers))

    def _stage(self, *modules: str) -> str:
        key = " ".join(modules)
        if key not in self._specs:
            self._specs[key] = f"{key} and what they import: {self._modules.digest(*modules)}"
        return self._specs[key]

    def loadable_modules(self) -> list[str]:
        """The files that decide what of a firmware is loaded."""
        return self._files("touchstone.image")

    def costs_modules(self) -> list[str]:
        """The files that decide static instruction costs."""
        return self._files("touchstone.simulators.cortexm_costs")

    def _files(self, *modules: str) -> list[str]:
        if modules not in self._closures:
            files = self._modules.closure(*modules)
            self._closures[modules] = [path.relative_to(self._root).as_posix() for path in files]
        return self._closures[modules]

    @cached_property
    def _unicorn_digest(self) -> str:
        return "" if self._unicorn is None else binary_digest(self._unicorn, self._memory)

    def _outside(self, plan: CellPlan, spec: Mapping[str, Any]) -> str:
        """What of a simulator is neither built here nor in the tree."""
        name = plan.cell.simulator
        if name in EXTERNAL:
            options = spec["settings"]["options"]
            program = find_external(external_of(name, options)) or spec["settings"].get("line")
            if program is None:
                # Nobody has said sim=: a cell's id, or a configuration, asks for it.
                require(name, plan.cell.id, options)
            if program not in self._installed:
                module = importlib.import_module(spec["adapter"])
                self._installed[program] = str(module.fingerprint(program, self._memory))
            return self._installed[program]
        return self._unicorn_digest if EMBEDDED[name].needs_costs else ""

    def _run_stage(self, adapter: str) -> str:
        if adapter not in self._run_stages:
            self._run_stages[adapter] = self._modules.digest("touchstone.run_cell", adapter)
        return self._run_stages[adapter]

    @cached_property
    def _check_stage(self) -> str:
        return self._modules.digest("touchstone.check")
