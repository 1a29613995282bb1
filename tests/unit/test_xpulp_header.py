# SPDX-License-Identifier: Apache-2.0
"""The words that kernels/include/xpulpv2.h and xpulpv2_asm.h assemble to, by a stock compiler."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from touchstone.toolchains.llvm import environment, zig_path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "kernels" / "include"
TARGET = ["cc", "-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c"]
FLAGS = [
    "-std=c11",
    "-O2",
    "-g0",
    "-fomit-frame-pointer",
    "-fno-sanitize=all",
    "-ffunction-sections",
    f"-I{INCLUDE}",
]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]

# What is not a plain register instruction; `p` is a1, `v` is a2. Words from the field layouts.
MEMORY = {
    "return p_lw_step(p, 4);": ("p_lw_step a0, a1, 4", 0x0045A50B),
    "return p_lb_step(p, 1);": ("p_lb_step a0, a1, 1", 0x0015850B),
    "return p_lhu_step(p, -2);": ("p_lhu_step a0, a1, -2", 0xFFE5D50B),
    "return p_lbu_step(p, 1);": ("p_lbu_step a0, a1, 1", 0x0015C50B),
    "return p_lw_post(&p, v);": ("p_lw_post a0, a1, a2", 0x20C5F50B),
    "return p_lb_post(&p, v);": ("p_lb_post a0, a1, a2", 0x00C5F50B),
    "return p_lh_post(&p, v);": ("p_lh_post a0, a1, a2", 0x10C5F50B),
    "return p_lbu_post(&p, v);": ("p_lbu_post a0, a1, a2", 0x40C5F50B),
    "return p_lhu_post(&p, v);": ("p_lhu_post a0, a1, a2", 0x50C5F50B),
    "return p_lw_at(p, v);": ("p_lw_at a0, a1, a2", 0x20C5F503),
    "return p_lbu_at(p, v);": ("p_lbu_at a0, a1, a2", 0x40C5F503),
    "p_sw_step(p, 4, v); return 0;": ("p_sw_step a2, a1, 4", 0x00C5A22B),
    "p_sh_step(p, -2, v); return 0;": ("p_sh_step a2, a1, -2", 0xFEC59F2B),
    "p_sb_step(p, 1, v); return 0;": ("p_sb_step a2, a1, 1", 0x00C580AB),
    "p_sw_post((void **)&p, a0, v); return 0;": ("p_sw_post a2, a1, a0", 0x00C5E52B),
    "p_sb_post((void **)&p, a0, v); return 0;": ("p_sb_post a2, a1, a0", 0x00C5C52B),
    "p_sh_at((void *)p, a0, v); return 0;": ("p_sh_at a2, a1, a0", 0x00C5D523),
    "return p_elw(p);": ("p_elw a0, a1, 0", 0x0005E503),
}
LOOPS = {
    "lp_setup 0, a1, 4": 0x0085C07B,
    "lp_setup 1, a1, 24": 0x0305C0FB,
    "lp_starti 0, 3": 0x0060007B,
    "lp_endi 1, 9": 0x012010FB,
    "lp_count 0, a1": 0x0005A07B,
    "lp_counti 1, 2049": 0x801030FB,
    "lp_setupi 0, 100, 3": 0x0643507B,
    "p_beqimm a1, 5, .+8": 0x0055A463,
    "p_bneimm a1, 31, .-4": 0xFFF5BEE3,
    "p_elw a0, a1, 28": 0x01C5E503,
}


@cache
def _table() -> tuple[tuple[int, str, str], ...]:
    lines = (ROOT / "tests" / "data" / "xpulpv2_words.txt").read_text().splitlines()
    rows = [re.split(" {2,}", line, maxsplit=2) for line in lines if not line.startswith("#")]
    return tuple((int(word, 16), c, assembly) for word, c, assembly in rows)


def _compile(source: Path, *options: str) -> ELFFile:
    output = source.with_suffix(".o")
    command = [str(zig_path()), *TARGET, *FLAGS, *options, "-c", str(source), "-o", str(output)]
    zig = environment(ROOT / "build" / "zig")
    done = subprocess.run(command, env=zig, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return ELFFile(output.open("rb"))


def _first_word(elf: ELFFile, function: str) -> int:
    return int.from_bytes(elf.get_section_by_name(f".text.{function}").data()[:4], "little")


def test_c_functions(tmp_path: Path) -> None:
    lines = ['#include "xpulpv2.h"']
    expected = []
    for word, expression, _ in _table():
        lines.append(
            f"uint32_t f{len(expected)}(uint32_t a0, uint32_t a1, uint32_t a2);\n"
            f"uint32_t f{len(expected)}(uint32_t a0, uint32_t a1, uint32_t a2) {{\n"
            f"    (void)a0, (void)a1, (void)a2;\n    return (uint32_t){expression};\n}}"
        )
        expected.append((expression, word))
    for body, (_, word) in MEMORY.items():
        lines.append(
            f"uint32_t f{len(expected)}(int32_t a0, const void *p, int32_t v);\n"
            f"uint32_t f{len(expected)}(int32_t a0, const void *p, int32_t v) {{\n"
            f"    (void)a0, (void)p, (void)v;\n    {body}\n}}"
        )
        expected.append((body, word))
    source = tmp_path / "words.c"
    source.write_text("\n".join(lines))
    elf = _compile(source, *WARNINGS)
    found = [(what, f"{_first_word(elf, f'f{i}'):08x}") for i, (what, _) in enumerate(expected)]
    assert found == [(what, f"{word:08x}") for what, word in expected]


def test_assembler_macros(tmp_path: Path) -> None:
    expected = [(assembly, word) for word, _, assembly in _table()]
    expected += [(assembly, word) for assembly, word in MEMORY.values()]
    expected += list(LOOPS.items())
    body = "\n".join(f"    {assembly}" for assembly, _ in expected)
    source = tmp_path / "words.S"
    source.write_text(f'#include "xpulpv2_asm.h"\n    .option norvc\n    .text\n{body}\n')
    code = _compile(source).get_section_by_name(".text").data()
    words = [int.from_bytes(code[i : i + 4], "little") for i in range(0, len(code), 4)]
    found = [(assembly, f"{word:08x}") for (assembly, _), word in zip(expected, words, strict=True)]
    assert found == [(assembly, f"{word:08x}") for assembly, word in expected]


@pytest.mark.parametrize("name", ["xpulpv2.h", "xpulpv2_asm.h"])
def test_no_vendor_assembler_is_needed(name: str) -> None:
    """Instructions beyond RV32 come from .insn and .word only."""
    directives = set(re.findall(r"\.insn (\w+)", (INCLUDE / name).read_text()))
    assert directives <= {"r", "i", "s", "sb"}
    assert "-march" not in re.sub(r"/\*.*?\*/", "", (INCLUDE / name).read_text(), flags=re.S)
