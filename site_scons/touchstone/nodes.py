# SPDX-License-Identifier: Apache-2.0
"""Words and sources of single nodes: how an object is compiled, a firmware linked, a simulator
built. Relative paths only, so that every checkout makes the same commands."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from touchstone.files import read_json
from touchstone.graph import (
    BUILD,
    SIMULATOR_SOURCES,
    CellPlan,
    CompilerPlan,
    FirmwarePlan,
    ObjectPlan,
)
from touchstone.graph import (
    INCLUDES as INCLUDES,
)
from touchstone.layout import layout_text
from touchstone.simulators.registry import EMBEDDED
from touchstone.toolchains import llvm
from touchstone.toolchains.commands import Commands
from touchstone.toolchains.registry import target_commands


@dataclass(frozen=True)
class ProgramPlan:
    """A host program: what it is made of and with which words."""

    program: str
    sources: tuple[str, ...]
    words: tuple[str, ...]
    tail: tuple[str, ...]


def commands(compiler: CompilerPlan) -> Commands:
    """What the plan's toolchain does for the plan's target."""
    options = compiler.target.toolchain(compiler.toolchain).options
    return target_commands(compiler.toolchain, options, compiler.cflags)


def compile_words(plan: ObjectPlan) -> list[str]:
    """The compiler's words for one object, without source and target."""
    folders = (*plan.compiler.includes, plan.compiler.target.directory)
    return [*commands(plan.compiler).compile, *(f"-I{folder}" for folder in folders)]


def link_words(firmware: FirmwarePlan) -> tuple[list[str], list[str]]:
    """The linker's words ahead of the objects, and those behind them.

    Firmware is linked from within its own folder: that is where lld looks for layout.ld (zig's
    driver keeps -L to itself).
    """
    said = commands(firmware.compiler)
    script = posixpath.relpath(firmware.linker_script, firmware.directory)
    return [*said.link, "-T", script], list(said.link_tail)


def layout(firmware: FirmwarePlan) -> str:
    """layout.ld: the target's memory, and which variant the glue's calls go to."""
    name, variant = f"ts_{firmware.kernel.name}", firmware.variant.name
    bindings = {name: f"{name}_{variant}", f"{name}_scratch": f"{name}_{variant}_scratch"}
    target = firmware.compiler.target.raw
    return layout_text(target, firmware.kernel.name, bindings, firmware.memory_map)


def simulator_program(root: Path, name: str, support: str = "") -> ProgramPlan:
    """An embedded simulator: every C file of its folder."""
    embedded = EMBEDDED[name]
    folder = posixpath.join(support, SIMULATOR_SOURCES, embedded.sources)
    sources = sorted(path.name for path in (root / folder).glob("*.c"))
    return ProgramPlan(
        program=f"{BUILD}/simulators/{embedded.program}",
        sources=tuple(f"{folder}/{source}" for source in sources),
        words=llvm.host_command(),
        tail=llvm.HOST_LIBRARIES,
    )


def needs_costs(plan: CellPlan) -> bool:
    """Whether the cell's simulator wants the firmware's static instruction costs."""
    embedded = EMBEDDED.get(plan.cell.simulator)
    return embedded is not None and embedded.needs_costs


def passed_before(verdict: Path) -> bool:
    """Whether the last verdict was PASS; anything else is tried again."""
    document = read_json(verdict)
    return isinstance(document, dict) and document.get("status") == "PASS"


def prerequisites(plan: CellPlan) -> Sequence[str]:
    """The paths that a cell's verdict needs, in the order in which a failure explains most."""
    firmware, packed = plan.firmware, plan.packed
    embedded = EMBEDDED.get(plan.cell.simulator)
    programs = [f"{BUILD}/simulators/{embedded.program}"] if embedded else []
    return [
        *(item.compiled for item in firmware.objects if item.generator),
        *(item.object for item in firmware.objects),
        firmware.path("layout.ld"),
        firmware.path("firmware.elf"),
        firmware.path("firmware.load"),
        firmware.path("firmware.costs"),
        packed.vectors.path("inputs.bin"),
        packed.inputs,
        *programs,
        plan.run,
        plan.verdict,
    ]
