# SPDX-License-Identifier: Apache-2.0
"""Builds the Cortex-M simulator once per process, assembles small programs and runs them on it."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchstone.simulators.cortexm_costs import build_costs
from touchstone.simulators.unicorn import unicorn_library
from touchstone.toolchains.llvm import HOST_LIBRARIES, environment, host_command, zig_path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "site_scons/touchstone/simulators/cortexm"
CODE = 0x08000000
RAM = 0x20000000
RAM_BYTES = 0x10000
M4, M7 = "cortex-m4", "cortex-m7"
CPUS = {M4: "cortex_m4+vfp4d16sp", M7: "cortex_m7+fp_armv8d16"}

LINK_SCRIPT = """
MEMORY { CODE (rx) : ORIGIN = %#x, LENGTH = 256K  RAM (rw) : ORIGIN = %#x, LENGTH = 64K }
SECTIONS {
    .text : { KEEP(*(.vectors)) *(.text*) . = ALIGN(4); } > CODE
    .data : { *(.data*) } > RAM AT> CODE
    .bss (NOLOAD) : { *(.bss*) } > RAM
}
"""

# `enable_fpu`, `enable_counter` (its address stays in r12), `count rN` reads CYCCNT, `emit rN`
# writes a register to the stream, `finish` ends the run with status 0.
PRELUDE = f"""
.syntax unified
.thumb
.macro enable_fpu
    ldr r0, =0xE000ED88
    mov r1, #0xF00000
    str r1, [r0]
.endm
.macro enable_counter
    ldr r12, =0xE0001000
    ldr r0, =0xE000EDFC
    mov r1, #0x1000000
    str r1, [r0]
    movs r1, #1
    str r1, [r12]
.endm
.macro count register
    ldr \\register, [r12, #4]
.endm
.macro emit register
    push {{r0, r1, \\register}}
    add r1, sp, #8
    movs r0, #4
    push {{r0}}
    push {{r1}}
    movs r0, #1
    push {{r0}}
    mov r1, sp
    movs r0, #5
    bkpt #0xAB
    add sp, #12
    pop {{r0, r1}}
    add sp, #4
.endm
.macro open_stream
    ldr r1, =open_block
    movs r0, #1
    bkpt #0xAB
.endm
.macro finish
    movs r0, #0x18
    ldr r1, =0x20026
    bkpt #0xAB
    .pool
.endm
.section .vectors, "ax"
    .word {RAM + RAM_BYTES:#x}
    .word _start
.text
open_name: .ascii ":tt"
.balign 4
open_block: .word open_name, 4, 3
.thumb_func
.global _start
.type _start, %function
_start:
"""


@functools.cache
def scratch() -> Path:
    path = Path(tempfile.mkdtemp(prefix="cortexm-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def zig(*arguments: object) -> None:
    command = [str(zig_path()), *map(str, arguments)]
    done = subprocess.run(
        command, env=environment(ROOT / "build/zig"), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@functools.cache
def simulator(sanitize: bool = False) -> Path:
    """Path of the built program; with `sanitize`, undefined behaviour aborts it."""
    path = scratch() / ("sanitized" if sanitize else "cortexm_sim")
    flags = ["-fsanitize=undefined"] if sanitize else []
    zig(*host_command(), *flags, *sorted(SOURCES.glob("*.c")), *HOST_LIBRARIES, "-o", path)
    return path


@functools.cache
def assemble(body: str, core: str = M4, code: int = CODE) -> bytes:
    """The ELF, at address `code`, of a program that starts with `body`."""
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        folder = Path(name)
        (folder / "link.ld").write_text(LINK_SCRIPT % (code, RAM))
        (folder / "program.S").write_text(PRELUDE + body)
        machine = ("-target", "thumb-freestanding-eabihf", f"-mcpu={CPUS[core]}", "-nostdlib")
        zig("cc", *machine, "-T", folder / "link.ld", folder / "program.S", "-o", folder / "elf")
        return (folder / "elf").read_bytes()


@dataclass(frozen=True)
class Outcome:
    report: dict[str, Any]
    stream: bytes
    log: bytes

    @property
    def instructions(self) -> int:
        return int(self.report["instructions"])

    @property
    def words(self) -> list[int]:
        return [
            int.from_bytes(self.stream[i : i + 4], "little") for i in range(0, len(self.stream), 4)
        ]

    @property
    def reads(self) -> list[tuple[int, int]]:
        return [(cycles, instructions) for cycles, instructions in self.report["counter_reads"]]

    @property
    def fault(self) -> dict[str, Any]:
        assert self.report["status"] == "fault", self.report
        fault: dict[str, Any] = self.report["fault"]
        return fault


def launch(
    folder: Path,
    image: bytes,
    *options: str,
    core: str = M4,
    limit: int = 1_000_000,
    costs: bytes | None = None,
    sanitize: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run the simulator with its files in `folder`."""
    library = unicorn_library()
    assert library is not None, "the Python package unicorn is not installed"
    (folder / "image.elf").write_bytes(image)
    (folder / "costs").write_bytes(build_costs(image, core) if costs is None else costs)
    command: list[object] = [simulator(sanitize), folder / "image.elf"]
    for kind in ("stream", "log", "report"):
        command += [f"--{kind}", folder / kind]
    command += ["--unicorn", library, "--costs", folder / "costs", "--core", core]
    command += ["--max-instructions", str(limit), "--memory", f"{RAM:#x}:{RAM_BYTES}", *options]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)


def run(
    image: bytes, *options: str, core: str = M4, limit: int = 1_000_000, sanitize: bool = False
) -> Outcome:
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        folder = Path(name)
        done = launch(folder, image, *options, core=core, limit=limit, sanitize=sanitize)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        report = json.loads((folder / "report").read_text())
        return Outcome(report, (folder / "stream").read_bytes(), (folder / "log").read_bytes())


def run_text(body: str, *options: str, core: str = M4, limit: int = 1_000_000) -> Outcome:
    return run(assemble(body, core), *options, core=core, limit=limit)


def measured(body: str, core: str, setup: str, guard: str, tail: str = "") -> tuple[int, int]:
    """Cycles and instructions of `body` alone: the distance of two counter reads, minus the same
    without a body. `guard` stands on both sides of the body and decouples it from the reads.
    """
    found = []
    for inner in (body, ""):
        text = f"""
    enable_fpu
    enable_counter
    {setup}
    count r10
    {guard}
    {inner}
    {guard}
    count r11
    finish
    {tail}
    """
        (first, before), (second, after) = run_text(text, core=core).reads
        found.append((second - first, after - before))
    (cycles, instructions), (base_cycles, base_instructions) = found
    return cycles - base_cycles, instructions - base_instructions
