# SPDX-License-Identifier: Apache-2.0
"""Bodies of assembler text become images: a frame that starts the cluster, times the body, reports.

The frame runs its body twice on the same registers and memory (cold and warm caches), reads the
cycle counter of core 0 around it and ends with an OUTPUT record (each core's registers and
checksums of its memory) and an END record (cycles). All programs are assembled by one call of the
compiler; each is cut out and moved to the same address, so that no program's image depends on the
others.
"""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.elf import Executable, Segment, write_elf
from touchstone.errors import UserError
from touchstone.fidelity.programs import Program
from touchstone.records import END, HEADER, MAGIC, OUTPUT
from touchstone.toolchains import llvm

CODE = 0x1C010000
RISCV = 243
READ_WRITE_EXECUTE = 7
SLOT_ALIGNMENT = 256
CORE_WORDS = 32
MACHINE = ("-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c", "-nostdlib")
LINKER_SCRIPT = f"SECTIONS {{ . = {CODE:#x}; .text : {{ *(.text*) }} }}\n"
# Registers that a body may use. s0 event unit, s1 the core's 1 KB of L1, s2 L1 that all share (one
# word further per core), s3 the core's 1 KB of L2, s10 the core, s8, s9, s11, gp, tp the frame's.
FREE = ("a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t1", "t2", "t3", "t4", "t5", "t6",
        "s4", "s5", "s6", "s7")  # fmt: skip
PREAMBLE = """
.option norvc
.option norelax
.macro semihost
    slli x0, x0, 0x1f
    ebreak
    srai x0, x0, 7
.endm
.macro barrier
    .insn i 0x03, 6, t0, 0x21c(s0)
.endm
.text
"""


def program_text(program: Program, label: str) -> str:
    """The whole text of one program; `label` makes its labels its own."""
    mask = (1 << program.cores) - 1
    meet = "barrier" if program.cores > 1 else ""
    registers = "\n".join(
        f"    li {name}, {_constant(index):#x}\n    xor {name}, {name}, t0"
        for index, name in enumerate(FREE)
    )
    stores = "\n".join(
        f"    sw {name}, {4 * index}(t0)" for index, name in enumerate((*FREE, "ra"))
    )
    size = program.cores * 4 * CORE_WORDS
    heads = [
        HEADER.pack(MAGIC, kind, 0, 0, length, bytes(16), 0)
        for kind, length in ((OUTPUT, size), (END, 20))
    ]
    output, end = (
        "    .word " + ", ".join(f"{word:#x}" for (word,) in struct.iter_unpack("<I", head))
        for head in heads
    )
    boot = "\n".join(f"    sw t1, {0x40 + 4 * core:#x}(t0)" for core in range(8))
    return f"""
    .balign {SLOT_ALIGNMENT}
{label}_start:
    li t0, -1                   # the fabric controller: both instruction caches on
    li t1, 0x1A108800
    sw t0, 0(t1)
    li t1, 0x10201400
    sw t0, 0(t1)
    li t0, 0x10200000
    la t1, {label}_core
{boot}
    li t1, {mask:#x}
    sw t1, 8(t0)
1:  wfi
    j 1b

    .balign 16
{label}_core:
    csrr s10, mhartid
    andi s10, s10, 31
    li s0, 0x10204000
    li t0, {mask:#x}
    sw t0, 0x200(s0)
    sw t0, 0x20c(s0)
    li t0, 7 << 16
    sw t0, 8(s0)
    slli t0, s10, 10
    li s1, 0x10000000
    add s1, s1, t0
    li s3, 0x1C100000
    add s3, s3, t0
    slli t0, s10, 2
    li s2, 0x10008000
    add s2, s2, t0
    li ra, 0
    li s11, 2
{label}_again:
    mv t1, s1                   # known contents: 256 words of L1, 64 of L2, 64 of the shared L1
    mv t2, s2
    mv t3, s3
    slli t4, s10, 4
    li t5, 0
    li t6, 0x01030507
1:  add t4, t4, t6
    sw t4, 0(t1)
    addi t1, t1, 4
    andi t0, t5, 3
    bnez t0, 2f
    sw t4, 0(t2)
    addi t2, t2, 32
    sw t4, 0(t3)
    addi t3, t3, 4
2:  addi t5, t5, 1
    li t0, 256
    bne t5, t0, 1b
    li t0, 0x01234567
    mul t0, t0, s10
{registers}
{program.setup}
    {meet}
    .balign 16
    csrr s8, mcycle
{program.body}
    {meet}
    csrr s9, mcycle
    mv tp, gp
    sub gp, s9, s8
    addi s11, s11, -1
    beqz s11, 1f
    j {label}_again
1:  la t0, {label}_output
    slli s9, s10, 7
    add t0, t0, s9
{stores}
    mv t1, s1                   # checksums of the memory
    mv t2, s2
    mv t3, s3
    li t5, 0
    li a0, 0
    li a1, 0
    li a2, 0
1:  lw t4, 0(t1)
    slli a3, a0, 5
    sub a0, a3, a0
    add a0, a0, t4
    addi t1, t1, 4
    andi t6, t5, 3
    bnez t6, 2f
    lw t4, 0(t2)
    slli a3, a1, 5
    sub a1, a3, a1
    add a1, a1, t4
    addi t2, t2, 32
    lw t4, 0(t3)
    slli a3, a2, 5
    sub a2, a3, a2
    add a2, a2, t4
    addi t3, t3, 4
2:  addi t5, t5, 1
    li t6, 256
    bne t5, t6, 1b
    sw a0, 80(t0)
    sw a1, 84(t0)
    sw a2, 88(t0)
    {meet}
    beqz s10, 2f
1:  wfi
    j 1b
2:  la t0, {label}_cycles
    sw tp, 4(t0)
    sw gp, 8(t0)
    la a1, {label}_block
    la t0, {label}_name
    sw t0, 0(a1)
    li t0, 4
    sw t0, 4(a1)
    li t0, 3
    sw t0, 8(a1)
    li a0, 1
    semihost
    la a1, {label}_block
    sw a0, 0(a1)
    la t0, {label}_stream
    sw t0, 4(a1)
    li t0, {size + 2 * HEADER.size + 20}
    sw t0, 8(a1)
    li a0, 5
    semihost
    li t0, 0x1A1040A0
    li t1, 0x80000000
    sw t1, 0(t0)
    j .
{program.data}
    .balign 256
{label}_block:
    .word 0, 0, 0
{label}_name:
    .asciz ":tt"
    .balign 16
{label}_stream:
{output}
{label}_output:
    .zero {size}
{end}
{label}_cycles:
    .word 0, 0, 0, 0, 0
{label}_end:
"""


def _constant(index: int) -> int:
    """What a free register holds before the body: 32 bits of no pattern."""
    return 0x2C5A1F37 * (2 * index + 3) & 0xFFFFFFFF


def assemble(programs: Sequence[Program], compiler: Path, cache: Path) -> Mapping[str, bytes]:
    """The image of each program by its id."""
    labels = [f"p{index}" for index in range(len(programs))]
    # A table of sizes comes first: it says where to cut.
    table = "".join(f"    .word {label}_end - {label}_start\n" for label in labels)
    texts = [program_text(program, label) for program, label in zip(programs, labels, strict=True)]
    code = _assembled(PREAMBLE + table + "".join(texts), compiler, cache)
    images = {}
    position = 4 * len(programs)
    for program, (size,) in zip(programs, struct.iter_unpack("<I", code[:position]), strict=True):
        position += -position % SLOT_ALIGNMENT
        slot = Segment(CODE, CODE, READ_WRITE_EXECUTE, code[position : position + size], size)
        images[program.id] = write_elf(Executable(RISCV, 0, CODE, (slot,)))
        position += size
    return images


def _assembled(text: str, compiler: Path, cache: Path) -> bytes:
    """The bytes of the one section that `text` makes."""
    # Imported here: elftools is slow to import.
    from elftools.elf.elffile import ELFFile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "programs.S").write_text(text, "ascii")
        (folder / "programs.ld").write_text(LINKER_SCRIPT, "ascii")
        words = (
            str(compiler),
            "cc",
            *MACHINE,
            "-T",
            "programs.ld",
            "programs.S",
            "-o",
            "programs.elf",
        )
        environment = llvm.environment(cache.absolute())
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise UserError(f"fidelity: the programs cannot be assembled: {done.stderr.strip()}")
        with (folder / "programs.elf").open("rb") as file:
            section: Any = ELFFile(file).get_section_by_name(".text")
            return bytes(section.data())
