# SPDX-License-Identifier: Apache-2.0
"""Builds the GAP9 simulator once per process and runs small programs on it."""

from __future__ import annotations

import atexit
import functools
import json
import os
import platform
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ziglang

from touchstone.simulators.standstill import explained

SOURCES = Path(__file__).parents[2] / "site_scons/touchstone/simulators/xpulp"
CODE = 0x1C010000
L1 = 0x10000000
DATA = 0x1C100000  # free L2, far from the code

LINK_SCRIPT = f"SECTIONS {{ . = {CODE:#x}; .text : {{ *(.text*) }} }}"


@functools.cache
def scratch() -> Path:
    path = Path(tempfile.mkdtemp(prefix="xpulp-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def zig(*arguments: object) -> None:
    command = [str(Path(ziglang.__file__).parent / "zig"), *map(str, arguments)]
    environment = {"ZIG_LOCAL_CACHE_DIR": str(scratch() / "zig"), **os.environ}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@functools.cache
def simulator(sanitize: bool = False) -> Path:
    """Path of the built program; with `sanitize`, undefined behaviour aborts it."""
    path = scratch() / ("sanitized" if sanitize else "xpulp_sim")
    linux = platform.system() == "Linux"
    target = ["-target", f"{platform.machine()}-linux-gnu.2.17"] if linux else []
    # Optimising the checks of some hundred computed gotos would take minutes.
    flags = ["-O0", "-fsanitize=undefined"] if sanitize else ["-O2", "-fno-sanitize=all"]
    warnings = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
    zig("cc", *target, "-mcpu=baseline", *flags, *warnings, *sorted(SOURCES.glob("*.c")),
        "-o", path)  # fmt: skip
    return path


@dataclass(frozen=True)
class Outcome:
    report: dict[str, Any]
    stream: bytes
    log: bytes

    @property
    def words(self) -> list[int]:
        return list(struct.unpack(f"<{len(self.stream) // 4}I", self.stream))

    @property
    def fault(self) -> dict[str, Any]:
        assert self.report["status"] == "fault", self.report
        fault: dict[str, Any] = self.report["fault"]
        return fault


def elf(segments: dict[int, bytes], entry: int = CODE) -> bytes:
    """A minimal RISC-V ELF32 with one PT_LOAD per segment."""
    start = 52 + 32 * len(segments)
    header = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIIIII", 2, 243, 1, entry, 52, 0, 0)
    header += struct.pack("<6H", 52, 32, len(segments), 0, 0, 0)
    table, body = b"", b""
    for address, data in segments.items():
        sizes = (len(data), len(data), 7, 1)
        table += struct.pack("<8I", 1, start + len(body), address, address, *sizes)
        body += data
    return header + table + body


def run(image: bytes, *options: str, limit: int = 10_000_000, sanitize: bool = False) -> Outcome:
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        folder = Path(name)
        (folder / "image.elf").write_bytes(image)
        command = [simulator(sanitize), folder / "image.elf", *options]
        command += ["--max-instructions", str(limit)]
        for kind in ("stream", "log", "report"):
            command += [f"--{kind}", folder / kind]
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        report = explained(json.loads((folder / "report").read_text()))
        return Outcome(report, (folder / "stream").read_bytes(), (folder / "log").read_bytes())


# Macros of the assembled programs. `cluster` starts all eight cores at the label `core`; `emit`
# writes one register to the stream
# (t6, s10, s11 are its own); `finish` ends the run.
PRELUDE = """
.option norvc
.option norelax
.macro semihost
    slli x0, x0, 0x1f
    ebreak
    srai x0, x0, 7
.endm
.macro emit register
    la t6, emit_value
    sw \\register, 0(t6)
    mv s10, a0
    mv s11, a1
    la a1, emit_block
    li a0, 5
    semihost
    mv a0, s10
    mv a1, s11
.endm
.macro finish code=0
    la a1, exit_block
    li t6, \\code
    sw t6, 4(a1)
    li a0, 0x20
    semihost
.endm
.macro cluster mask=0xff
    li t0, 0x10200000
    la t1, core
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    sw t1, 0x40 + 4 * \\n(t0)
    .endr
    li t1, \\mask
    sw t1, 8(t0)
    wfi
.endm
.macro barrier_setup mask=0xff
    li s0, 0x10204000
    li t0, \\mask
    sw t0, 0x200(s0)
    sw t0, 0x20c(s0)
    li t0, 7 << 16
    sw t0, 8(s0)
.endm
.macro barrier register=t0
    .insn i 0x03, 6, \\register, 0x21c(s0)
.endm
.globl _start
_start:
"""
POSTLUDE = """
.balign 4
emit_block: .word 1, emit_value, 4
emit_value: .word 0
exit_block: .word 0x20026, 0
"""


@functools.cache
def assemble(text: str) -> bytes:
    """Image of an assembler program (GNU syntax, see PRELUDE); the FC starts at its first line."""
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        folder = Path(name)
        (folder / "p.S").write_text(PRELUDE + text + POSTLUDE)
        (folder / "p.ld").write_text(LINK_SCRIPT)
        zig("cc", "-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c", "-nostdlib",
            "-T", folder / "p.ld", folder / "p.S", "-o", folder / "p.elf")  # fmt: skip
        return (folder / "p.elf").read_bytes()


def run_text(text: str, *options: str, limit: int = 1_000_000) -> Outcome:
    return run(assemble(text), *options, limit=limit)


def results(text: str, *options: str) -> list[int]:
    """Words that a program emits; it has to end with exit code 0."""
    outcome = run_text(text, *options)
    assert outcome.report["status"] == "exit", outcome.report
    assert outcome.report["exit_code"] == 0
    return outcome.words


@dataclass
class Program:
    """Text of a program that leaves words at s3 and at its end writes them to the stream, and what
    a model says they are. `memory` is in s1."""

    memory: int = DATA
    on_core: bool = False
    lines: list[str] = field(default_factory=list)
    want: list[int] = field(default_factory=list)

    def keep(self, register: str, value: int) -> None:
        self.lines.append(f"sw {register}, 0(s3)\naddi s3, s3, 4")
        self.want.append(value & 0xFFFFFFFF)

    def run(self) -> None:
        start = "cluster 1\ncore:\n" if self.on_core else ""
        text = f"{start}li s1, {self.memory:#x}\nla s3, results\n" + "\n".join(self.lines)
        text += "\nla a1, write\nli a0, 5\nsemihost\nfinish\n.balign 4\n"
        text += f"write: .word 1, results, {4 * len(self.want)}\n"
        # Far from code, to which nothing may be stored once it has run.
        outcome = run_text(f"{text}\n.balign 1024\nresults: .skip {4 * len(self.want)}\n")
        assert outcome.report["status"] == "exit", outcome.report
        assert outcome.words == self.want
