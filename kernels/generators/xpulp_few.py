# SPDX-License-Identifier: Apache-2.0
"""Assembly of XpulpV2 attention layers of two to four rows: python -m kernels.generators.xpulp_few
OUT.S

    void ts_xp_few_2(const ts_team *team, const ts_mhsa_args *args, int8_t *scratch)
    void ts_xp_few_3(...)
    void ts_xp_few_4(...)

(kernels/include/ts_xpulp_few.h, which says what it does and how). There is code for each number of
rows, since a block of 2 rows by 4 columns takes 14 instructions for 4 bytes of depth, one of 4 rows
24. Product and softmax are those of xpulp_four.py. Every stage goes over all of a core's heads
before the next one begins: a core's own instruction cache holds one of them, but not all.

sp points at FIELDS, whose words cost two bytes to reach.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_few_attention import Attention
from kernels.generators.xpulp_few_product import (
    BIAS,
    FACTOR,
    FACTORS,
    OUTPUT,
    RIGHT,
    ROW,
    SAVED,
    SELECT,
    THIRD_BYTES,
    TURN,
    B,
)

# What does all other layers.
OTHER = "ts_xp_few_other"
# Bytes of ts_mhsa_args.
ARGS = {"S": 0, "E": 4, "P": 8, "H": 12, "input": 32, "weights": 36, "biases": 40}
ARGS |= {"o_weight": 60, "o_bias": 64, "requants": 68, "entries": 116, "output": 124}
# The numbers of rows, and the place of their code: bytes behind a multiple of 1024, which is a way
# of the shared instruction cache, found by trial.
PLACES = {4: 592, 3: 256, 2: 672}
# Where heads do not end in the middle of a block: more than there are blocks.
ENDLESS = 0x1000


class Few(Attention):
    """The code for one number of rows."""

    def write(self) -> None:
        """All of it."""
        self._check()
        self._enter()
        self._scale()
        self._sizes()
        self._rows_in()
        self._share()
        self._project()
        self._barrier()
        self._attend()
        self._barrier()
        self._result()
        self._leave()
        self.text(f"{self.label('wide')}:")
        self.load(team="a0", args="a1", panels="a2")
        self._restore()
        self.text(f"{self.label('other')}:", f"tail {OTHER}")
        self._product()
        self._narrow()

    def _check(self) -> None:
        """a0: team, a1: arguments, a2: scratch memory. Leaves E, P, H * P, pairs in a4 to a7, core,
        H, cores in t0, t2, t3."""
        text = self.text
        text(*(f"lw {to}, {ARGS[name]}(a1)" for to, name in (("a4", "E"), ("a5", "P"))))
        text(f"lw t2, {ARGS['H']}(a1)", f"lw a7, {ARGS['entries']}(a1)", "mul a6, t2, a5")
        text("addi a7, a7, 1024", "lw t4, 0(a7)", "or t5, a4, a6", "srli t5, t5, 9")
        text(
            f"beqz t4, {self.label('other')}",
            f"bnez t5, {self.label('other')}",
            "lw t0, 0(a0)",
            "lw t3, 4(a0)",
        )

    def _enter(self) -> None:
        text = self.text
        text(f"addi sp, sp, -{self.frame}")
        text(*(f"sw {name}, {4 * i}(sp)" for i, name in enumerate(self.saved)))
        self.store(team="a0", args="a1", panels="a2", pairs="a7", channels="a5")

    def _scale(self) -> None:
        """The factors, in the order of the arguments' requantisations; until then their words hold
        the largest sums."""
        text, at = self.text, self.offset["factor0"]
        text("slli t1, a4, 14")
        for i in range(3):
            text(f"lw s0, {ARGS['biases'] + 8 * i}(a1)", "lw s0, 0(s0)", "add s0, s0, t1")
            text(f"sw s0, {at + 4 * i}(sp)")
        text("slli t1, a5, 14", f"sw t1, {at + 12}(sp)")
        text(f"li s0, {255 * 128}", f"sw s0, {at + 16}(sp)")
        text(f"lw s0, {ARGS['o_bias']}(a1)", "lw s0, 0(s0)", "slli t1, a6, 14", "add s0, s0, t1")
        text(f"sw s0, {at + 20}(sp)", f"addi s0, a1, {ARGS['requants']}", f"addi t1, sp, {at}")
        text("lui t4, 16 << 4", "li s2, 0", "li s3, 0", f"li t5, {len(FACTORS)}")
        # The flags before and behind the shift have to be 0, the shift at most 16.
        text.loop("t5", self.label("scaled"))
        text("p_lw_step s4, s0, 4", "p_lw_step s5, s0, 4", "lw s6, 0(t1)", "lhu s4, 0(s4)")
        text("slli s5, s5, 8", "sub s5, t4, s5", "slli s7, s5, 16", "or s2, s2, s5")
        text("or s2, s2, s7", "srai s5, s5, 16", "sll s4, s4, s5", "slli s7, s4, 1")
        text("mulhu s6, s6, s7", "addi s4, s4, -1", "or s3, s3, s6")
        text(f"{self.label('scaled')}:", "p_sw_step s4, t1, 4")
        text(f"bltz s2, {self.label('wide')}", f"bnez s3, {self.label('wide')}")

    def _sizes(self) -> None:
        """Sizes, and where things lie. Leaves blocks of a head and of all, words of E, bytes of a
        context row in s2 to s5, this core's ends of shares in s6 and s7, words of a row in a3."""
        text, rows = self.text, self.rows
        text("addi s2, a5, 3", "srli s2, s2, 2", "mul s3, t2, s2", "addi s4, a4, 3")
        text("srli s4, s4, 2", "addi s5, a6, 3", "andi s5, s5, -4")
        # A division takes a cycle less for every bit that its divisor is longer.
        text("lui t5, 0x80000", "slli t6, t3, 15", "divu t5, t5, t6")
        text("mul s6, t5, t0", "add s7, s6, t5")
        text(f"li t4, {self.panel_bytes}", "mul a3, s3, t4", "add t5, a2, a3")
        self.store(head_blocks="s2", blocks="s3", width="s5", keys="t5", from_="s6", to="s7")
        text("add t5, t5, a3", "slli t1, s3, 4", "add t6, t5, t1")
        text(f"li a3, {self.map_bytes}")
        self.store(values="t5", map="t6")
        text("p_mac t6, t2, a3", f"li t4, {rows}")
        self.store(context="t6", heads="t2")
        # Behind the context of all rows, the copies.
        text("p_mac t6, s5, t4", f"slli {ROW}, s4, 2", f"mul t1, {ROW}, t4", "p_mac t6, t0, t1")
        text(f"li {TURN}, 4", f"li t4, {rows - 1}", f"p_msu {TURN}, {ROW}, t4")

    def _rows_in(self) -> None:
        """The input's rows, in whole words."""
        text, to, source = self.text, "t6", "t1"
        text(f"lw {source}, {ARGS['input']}(a1)", "andi t3, a4, 3", "mv t5, t1")
        text(f"beqz t3, {self.label('input')}", "mv t5, t6", "srli t4, a4, 2", "li t2, 4")
        text("sub t2, t2, t3", f"li a3, {self.rows}", f"{self.label('row')}:")
        text(f"beqz t4, {self.label('bytes')}")
        text.loop("t4", self.label("words_in"))
        text(f"p_lw_step a7, {source}, 4", f"{self.label('words_in')}:", f"p_sw_step a7, {to}, 4")
        text(f"{self.label('bytes')}:")
        text.loop("t3", self.label("bytes_in"))
        text(f"p_lbu_step a7, {source}, 1", f"{self.label('bytes_in')}:", f"p_sb_step a7, {to}, 1")
        text(f"add {to}, {to}, t2", "addi a3, a3, -1", f"bnez a3, {self.label('row')}")
        text(f"{self.label('input')}:")
        self.put(left="t5", steps="s4")

    def _share(self) -> None:
        """This core's blocks of queries, keys and values."""
        text, first, kind = self.text, "t3", "a1"
        text("slli t1, s3, 1", "add t1, t1, s3")
        self.share("t1", first, "t4")
        text("slli t5, s4, 4", f"li t2, {self.panel_bytes}")
        self.store(left_over="t4", panel="t5")
        text("mv t0, a5", f"mv {OUTPUT}, a2", f"p_mac {OUTPUT}, {first}, t2")
        if self.panel_bytes < 16:
            text("addi t6, a1, 16")
        text(f"{self.label('find')}:", f"bltu {first}, s3, {self.label('found')}")
        text(f"sub {first}, {first}, s3", f"addi {kind}, {kind}, 8", f"j {self.label('find')}")
        text(f"{self.label('found')}:")
        if self.panel_bytes < 16:  # Values take four words a block.
            text(f"bne {kind}, t6, {self.label('short')}", f"li t2, {16 - self.panel_bytes}")
            text(f"p_mac {OUTPUT}, {first}, t2", f"{self.label('short')}:")
        self.store(kind=kind, place=first)
        # Biases end with each head: 16 * blocks, less what the blocks before lack. t0: P
        text("andi t1, t0, 3", "srli t5, t0, 2", f"slli t4, {first}, 4", "addi t4, t4, 16")
        self.store(tail="t1")
        text(f"li t6, {ENDLESS}", f"beqz t1, {self.label('even')}", f"slli t2, {first}, 16")
        text("slli a6, s2, 16", "divu t2, t2, a6", "slli t6, s2, 2", "sub t6, t6, t0")
        text("slli t6, t6, 2", "p_msu t4, t2, t6", "mul t6, t2, s2", f"sub t6, {first}, t6")
        text("sub t6, t5, t6", f"j {self.label('placed')}")
        text(f"{self.label('even')}:", "mv t5, t6", f"{self.label('placed')}:")
        self.store(bias_at="t4", full="t5", first_full="t6")
        self.set_next("kind", "part")
        text(f"lla t1, {self.label('next_head')}")
        self.store(narrow_back="t1")
        text(f"li {SELECT}, {THIRD_BYTES}", "li t0, 4", f"li t1, {self.panel_turn}")
        self.put(out_row="t0", out_turn="t1")

    def _project(self) -> None:
        """Queries, keys and values, one kind after the other; of each head whole blocks, then one
        that is cut short. Blocks of a single sort go as one."""
        text = self.text
        text(f"{self.label('kind')}:")
        self.load(left_over="t0", place="t1", blocks="t2", kind="t6")
        text(f"beqz t0, {self.label('projected')}", "sub t2, t2, t1", "p_minu t3, t0, t2")
        text("sub t0, t0, t3", "addi t5, t6, 8")
        self.store(left_over="t0", place="zero", kind="t5")
        text(f"lw {RIGHT}, {ARGS['weights']}(t6)", f"lw {BIAS}, {ARGS['biases']}(t6)")
        self.load(panel="t0", bias_at="t4", args="t5")
        text(f"p_mac {RIGHT}, t1, t0", f"add {BIAS}, {BIAS}, t4", "li t4, 16", "sub t5, t6, t5")
        self.store(bias_at="t4")
        text("srli t0, t5, 1", "add t0, t0, sp", f"lw {FACTOR}, {self.offset['factor0']}(t0)")
        self.load(first_full=B[0], full="t4")
        self.store(first_full="t4")
        text("addi t5, t5, -16", f"bnez t5, {self.label('by_rows')}", "lui t5, 0x80000")
        text(f"or {SELECT}, {SELECT}, t5", f"{self.label('by_rows')}:", "mv t1, t3")
        text(f"bnez t4, {self.label('some')}", f"mv {B[0]}, t3", f"jal {self.label('narrow')}")
        text(f"j {self.label('kind')}")
        text(f"{self.label('projected')}:")

    def _barrier(self) -> None:
        """All cores are here. It may need what a program keeps in gp and tp."""
        self.load(team="a0")
        if self.saved == SAVED:
            self.text(*(f"lw {r}, {4 * SAVED.index(r)}(sp)" for r in ("gp", "tp")))
        self.text("call ts_team_barrier")

    def _result(self) -> None:
        """The output projection: this core's blocks of columns, to rows that end anywhere."""
        text, rows, first = self.text, self.rows, "t3"
        self.load(from_="s6", to="s7", args="a6", width=ROW, context="t0")
        text(f"lw t1, {ARGS['E']}(a6)", "addi t2, t1, 3", "srli t2, t2, 2")
        self.share("t2", first, "t4", later=True)  # The last block may be a narrow one.
        text(f"beqz t4, {self.label('leave')}", f"li t5, {rows - 1}", f"li {TURN}, 4")
        text("li a7, 4", f"p_msu {TURN}, {ROW}, t5", "p_msu a7, t1, t5")
        self.put(out_row="t1", out_turn="a7", left="t0")
        text(f"srli t0, {ROW}, 2")
        self.put(steps="t0")
        text(f"lw {RIGHT}, {ARGS['o_weight']}(a6)", f"slli t5, {first}, 2")
        text(f"p_mac {RIGHT}, t5, {ROW}", f"lw {OUTPUT}, {ARGS['output']}(a6)")
        text(f"add {OUTPUT}, {OUTPUT}, t5", f"lw {BIAS}, {ARGS['o_bias']}(a6)", "slli t5, t5, 2")
        text(f"addi {BIAS}, {BIAS}, 16", f"add {BIAS}, {BIAS}, t5", f"add t5, {first}, t4")
        self.load(factor5=FACTOR)
        text(f"li {SELECT}, {THIRD_BYTES}")
        # Is the layer's last block this core's, and cut short?
        text("sub t5, t5, t2", "andi t6, t1, 3", f"mv {B[0]}, t4", f"bnez t5, {self.label('all')}")
        text(f"beqz t6, {self.label('all')}", f"addi {B[0]}, {B[0]}, -1")
        self.store(tail="t6")
        text(f"beqz {B[0]}, {self.label('cut')}", f"jal {self.label('product')}")
        text(f"{self.label('cut')}:", f"mv t0, {OUTPUT}")
        text(f"addi {OUTPUT}, sp, {self.offset['spare0']}")
        self.store(result="t0")
        text(f"li {B[0]}, 4")
        self.put(out_row=B[0], out_turn=B[0])
        text(f"li {B[0]}, 1", f"jal {self.label('narrow')}")
        self.load(args=B[0], result=OUTPUT, tail=B[1])
        text(f"lw {ROW}, {ARGS['E']}({B[0]})")
        self.choose(B[1], "tail")
        text(f"{self.label('all')}:", f"jal {self.label('product')}")

    def _leave(self) -> None:
        self.text(f"{self.label('leave')}:")
        self._restore()
        self.text("ret")
        for columns in (1, 2, 3):
            self.text(f"{self.label(f'tail{columns}')}:")
            self.tail(columns)
            self.text(f"j {self.label('leave')}")

    def _restore(self) -> None:
        text = self.text
        text(*(f"lw {name}, {4 * i}(sp)" for i, name in enumerate(self.saved)))
        text(f"addi sp, sp, {self.frame}")


def module() -> str:
    """The whole file."""
    text = Text()
    for rows, place in PLACES.items():
        name = f"ts_xp_few_{rows}"
        text(f'.section .text.{name}, "ax"', ".balign 1024", f".skip {place}")
        text.begin(name)
        Few(text, rows).write()
        text.end(name)
        text(".balign 1024")  # What lies behind it stays where it is.
    return text.file("xpulp_few")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
