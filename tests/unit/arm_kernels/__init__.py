# SPDX-License-Identifier: Apache-2.0
"""The Armv7E-M kernels in Unicorn, without firmware: every operand ends at unmapped memory.

`build` links the glue of every kernel that has a variant (armv7em, or a core's own) and that
variant into one ELF; `Machine` calls the glue on a case. Any access outside an operand, and any
write to an input, faults.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import unicorn as uc
from elftools.elf.elffile import ELFFile
from host_kernels import KERNELS, glue, manifests_with, output_bytes, scratch_bytes
from unicorn import arm_const as arm

from golden.pack import pack_container
from touchstone.schedule import OWN, Schedule
from touchstone.vectors import Case, Container

VARIANT = "armv7em"
FLAGS = [
    *("-std=c11", "-O2", "-g", "-ffunction-sections", "-fno-sanitize=all"),
    *("-Wall", "-Wextra", "-nostdlib"),
]
PAGE = 4096
CODE, STACK, RETURN, DATA = 0x0001_0000, 0x2000_0000, 0x3000_0000, 0x4000_0000
CODE_BYTES, STACK_BYTES = 128 * PAGE, 4 * PAGE
MAX_INSTRUCTIONS = 500_000_000
BARRIER = """
#include "ts_types.h"
void ts_team_barrier(const ts_team *team) { (void)team; }
"""


def _variant(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in manifest["variants"] if entry["name"] == name)


def _sources(manifests: dict[str, dict[str, Any]], variant: str) -> list[Path]:
    """The files of every kernel's variant and of what it uses, each once."""
    found: dict[Path, None] = {}
    wanted = [(kernel, variant) for kernel in manifests]
    for kernel, name in wanted:
        entry = _variant(manifests_with(name)[kernel], name)
        found |= {KERNELS / kernel / source: None for source in entry["sources"]}
        uses = (tuple(use.split(".")) for use in entry.get("uses", ()))
        wanted += [use for use in uses if use not in wanted]
    return list(found)


def build(directory: Path, core: str, variant: str = VARIANT) -> Path:
    """The ELF of a variant for `core` (cortex_m4, cortex_m7), in `directory`."""
    kernels = list(manifests_with(variant))
    barrier = directory / "barrier.c"
    barrier.write_text(BARRIER)
    sources = [barrier]
    for kernel in kernels:
        path = directory / f"{kernel}_glue.c"
        path.write_text(glue(kernel, variant))
        sources.append(path)
    sources += _sources(manifests_with(variant), variant)
    script = directory / "link.ld"
    script.write_text(
        f"SECTIONS {{ . = {CODE}; .text : {{ KEEP(*(.text.ts_job_*)) *(.text*) *(.rodata*) }} }}\n"
        f"ENTRY(ts_job_run_{kernels[0]})\n"
    )
    program = directory / f"{core}.elf"
    target = ["-target", "thumb-freestanding-eabihf", f"-mcpu={core}", "-T", str(script)]
    command = [sys.executable, "-m", "ziglang", "cc", *target, *FLAGS]
    command += [f"-I{KERNELS / 'include'}", *map(str, sources), "-lcompiler_rt"]
    done = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def build_once(
    once: Callable[[str, Callable[[Path], object]], Path], core: str, variant: str = VARIANT
) -> Path:
    """The same, for all workers that run tests (tests/conftest.py)."""
    folder = once(f"{core}-{variant}", lambda place: build(place, core, variant))
    return folder / f"{core}.elf"


def _pages(count: int) -> int:
    return -(-count // PAGE) * PAGE


class Machine:
    """One core with the kernels loaded."""

    def __init__(self, program: Path, core: str, variant: str = VARIANT) -> None:
        self.variant = variant
        models = {"cortex_m4": arm.UC_CPU_ARM_CORTEX_M4, "cortex_m7": arm.UC_CPU_ARM_CORTEX_M7}
        # Not UC_MODE_MCLASS: it would overrule the core model.
        self.emulator = uc.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB)
        self.emulator.ctl_set_cpu_model(models[core])
        self.emulator.mem_map(CODE, CODE_BYTES, uc.UC_PROT_READ | uc.UC_PROT_EXEC)
        self.symbols: dict[str, int] = {}
        with program.open("rb") as file:
            elf = ELFFile(file)
            for segment in elf.iter_segments("PT_LOAD"):
                self.emulator.mem_write(segment["p_vaddr"], segment.data())
            for symbol in elf.get_section_by_name(".symtab").iter_symbols():
                self.symbols[symbol.name] = symbol["st_value"]
        self.emulator.mem_map(STACK, STACK_BYTES)
        self.emulator.mem_map(RETURN, PAGE)

    def _call(self, name: str, *arguments: int) -> int:
        emulator = self.emulator
        registers = (arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1)
        for register, value in zip(registers, arguments, strict=True):
            emulator.reg_write(register, value)
        emulator.reg_write(arm.UC_ARM_REG_SP, STACK + STACK_BYTES)
        emulator.reg_write(arm.UC_ARM_REG_LR, RETURN | 1)
        emulator.ctl_flush_tb()
        emulator.emu_start(self.symbols[name] | 1, RETURN, 0, MAX_INSTRUCTIONS)
        assert emulator.reg_read(arm.UC_ARM_REG_PC) == RETURN, f"{name} did not return"
        return int(emulator.reg_read(arm.UC_ARM_REG_R0))

    def _place(self, data: bytes, cursor: int, writable: bool, regions: list[int]) -> int:
        """Maps `data` so that it ends with its page; returns its address."""
        size = max(_pages(len(data)), PAGE)
        address = cursor + size - len(data)
        rights = uc.UC_PROT_READ | (uc.UC_PROT_WRITE if writable else 0)
        self.emulator.mem_map(cursor, size, rights)
        self.emulator.mem_write(address, data)
        regions += [cursor, size]
        return address

    def packed(self, manifest: dict[str, Any], container: Container) -> Container:
        """The vectors in the variant's weight layout."""
        layout = _variant(manifest, self.variant).get("layout")
        return pack_container(container, manifest["layouts"][layout]) if layout else container

    def run_case(
        self,
        manifest: dict[str, Any],
        container: Container,
        case: Case,
        poison: int,
        schedule: Schedule = OWN,
    ) -> bytes:
        """The output of one case, which is `packed`."""
        sizes = {**container.shape, "cores": 1, "per_channel": 0}
        order = schedule.values()
        needed = scratch_bytes(_variant(manifest, self.variant), {**sizes, **order})
        regions: list[int] = []
        buffers = [case.operand(operand["name"]).data for operand in manifest["operands"][:-1]]
        poisoned = [bytes([poison]) * count for count in (output_bytes(manifest, sizes), needed)]
        addresses, cursor = [], DATA
        for index, data in enumerate([*buffers, *poisoned]):
            addresses.append(self._place(data, cursor, index >= len(buffers), regions))
            cursor += regions[-1] + PAGE
        *operands, scratch = addresses
        params = [case.params[name] for name in manifest["params"]]
        shape = [container.shape[name] for name in "SEPHF"]
        words = [0, 1, *params, *operands]  # the team, then what the case points at
        words_at = cursor
        case_at = words_at + 4 * len(words)
        words += [*shape, *order.values(), words_at + 8, words_at + 8 + 4 * len(params), scratch]
        self._place(
            struct.pack(f"<{len(words)}I", *words).ljust(PAGE, b"\0"), cursor, False, regions
        )
        name = manifest["name"]
        assert self._call(f"ts_job_scratch_{name}", case_at, 1) == needed
        self._call(f"ts_job_run_{name}", words_at, case_at)
        output = bytes(self.emulator.mem_read(operands[-1], len(poisoned[0])))
        for start, size in zip(regions[::2], regions[1::2], strict=True):
            self.emulator.mem_unmap(start, size)
        return output
