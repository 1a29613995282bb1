# SPDX-License-Identifier: Apache-2.0
"""`compiledb`: build/compile_commands.json for the sources of the selected cells.

One entry for each source and set of flags; clangd finds the file from anywhere in the checkout.
Nothing needs to be built first. GCC's commands are those of the build. The embedded compiler is
called as `zig cc`, whose names of machines only it knows: they are put into clang's words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone import app
from touchstone.files import write_atomically
from touchstone.graph import BUILD, CellPlan, common_sources, plan_graph
from touchstone.nodes import commands, compile_words
from touchstone.toolchains import llvm
from touchstone.toolchains.registry import Programs

FILE = f"{BUILD}/compile_commands.json"


def compiledb(root: Path, arguments: Mapping[str, str]) -> int:
    """Write the file; 0."""
    _, catalogue, cells = app.plan_request(root, arguments)
    common = common_sources(root, catalogue.support)
    plans = plan_graph(catalogue, [cell for cell in cells if cell.skip is None], common)
    entries = database(root, plans, Programs(root / BUILD))
    write_atomically(root / FILE, (json.dumps(entries, indent=1) + "\n").encode("utf-8"))
    print(f"{len(entries)} commands in {FILE}")
    return 0


def database(root: Path, plans: Iterable[CellPlan], programs: Programs) -> list[dict[str, Any]]:
    """The entries, in the plan's order."""
    entries: dict[str, dict[str, Any]] = {}
    for plan in plans:
        for item in plan.firmware.objects:
            if item.object not in entries:
                program = commands(item.compiler).program
                words = [*programs.local_words(program, root), *compile_words(item)]
                if program == llvm.PROGRAM:
                    words = clang_words(words)
                entries[item.object] = {
                    "directory": str(root),
                    "file": item.source,
                    "output": item.object,
                    "arguments": [
                        "clang" if program == llvm.PROGRAM else str(programs.path(program)),
                        *words,
                        *("-c", item.source, "-o", item.object),
                    ],
                }
    return list(entries.values())


def clang_words(words: Sequence[str]) -> list[str]:
    """`zig cc` words as clang takes them."""
    found: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "-target":
            found.append(f"--target={_triple(next(rest))}")
        elif word.startswith("-mcpu="):
            found.append(_machine(word.removeprefix("-mcpu=")))
        elif word not in ("cc", "-fno-sanitize=all"):
            found.append(word)
    return found


def _triple(zig: str) -> str:
    """riscv32-freestanding-none, thumb-freestanding-eabihf: machine, system, ABI."""
    machine, _, abi = zig.split("-", 2)
    if machine == "thumb":
        return f"thumbv7em-none-{abi}"
    return f"{machine}-unknown-elf"


def _machine(zig: str) -> str:
    """generic_rv32+m+c is an architecture with extensions; of cortex_m4+... the core is enough."""
    name, *features = zig.split("+")
    generic = re.fullmatch("generic_rv(32|64)", name)
    if generic:
        return f"-march=rv{generic[1]}i{''.join(sorted(features, key='mafdc'.find))}"
    return f"-mcpu={name.replace('_', '-')}"
