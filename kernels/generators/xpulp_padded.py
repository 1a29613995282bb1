# SPDX-License-Identifier: Apache-2.0
"""Assembly of XpulpV2 attention layers with padding: python -m kernels.generators.xpulp_padded
OUT.S

    void ts_xp_padded_2(const ts_team *team, const ts_mhsa_args *args, int8_t *scratch)
    void ts_xp_padded_3(...)

(kernels/include/ts_xpulp_padded.h, which says what they do and how) of 5 to 8 and 9 to 12
rows, "tiles" of four. The block products are those of xpulp_product.py; scores, softmax and context
(xpulp_attention.py) stand in the middle.

Here most of the time goes to fetching code: a line of 16 bytes that is not in the shared
instruction cache costs 18 cycles, and every line that runs displaces others. In C the same is
half as long again, and 10 to 15 % slower.
"""

from __future__ import annotations

import sys

from kernels.generators import xpulp_attention as attention
from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_block import CALL_BYTES, OFFSET, SAVED

TILES = (2, 3)
# Bytes of ts_mhsa_args, and of a ts_requant from the first one on.
ARGS = {"S": 0, "E": 4, "P": 8, "H": 12, "input": 32, "weights": 36, "biases": 40}
ARGS |= {"o_weight": 60, "o_bias": 64, "requants": 68, "entries": 116, "output": 124}
# Behind the call, which lies at sp: the parts of the bounds, the team, what the attention does
# without, and what the caller keeps.
PARTS = CALL_BYTES
TEAM = PARTS + 24
KEPT = TEAM + 4
LOCALS = KEPT + 32
FRAME = -(-(LOCALS + 12 + 4 * len(SAVED)) // 16) * 16
SAVED_AT = FRAME - 4 * len(SAVED)
# What lasts: registers that the block products keep.
NAMES = ("s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10")
ARG, SCRATCH, FROM, TO, BLOCKS, ALL, DEPTH, WIDTH, PANELS, COPY, CONTEXT = NAMES
INDEX, FIRST, LEFT = "s11", "gp", "tp"
OVER = (ARG, SCRATCH, FROM, TO, DEPTH, WIDTH, COPY, CONTEXT)
BIAS_BYTES = 32
# Bytes behind a multiple of 1024, which is a way of the shared instruction cache: found by trial.
PLACES = {2: 912, 3: 848}


def module() -> str:
    """The whole file."""
    text = Text()
    for tiles in TILES:
        write_function(text, tiles)
    return text.file("xpulp_padded")


def write_function(text: Text, tiles: int) -> None:
    """The function for so many tiles."""
    name = f"ts_xp_padded_{tiles}"
    text(f'.section .text.{name}, "ax"', ".balign 1024", f".skip {PLACES[tiles]}")
    text.begin(name)
    enter(text, tiles)
    factors(text, tiles)
    biases(text, tiles)
    rows_in(text, tiles)
    barrier(text)
    check(text, tiles)
    project(text, tiles)
    barrier(text)
    attend(text, tiles)
    barrier(text)
    output(text, tiles)
    leave(text)
    text("ret", f".Lother{tiles}:", f"lw a0, {TEAM}(sp)", f"mv a1, {ARG}", f"mv a2, {SCRATCH}")
    leave(text)
    text("tail ts_xp_padded_other")
    subroutines(text, tiles)
    attention.write_rest(text, tiles)
    text.end(name)


def enter(text: Text, tiles: int, more: int = 0) -> None:
    """Sizes, and where things lie; `more`: bytes of the stack behind FRAME."""
    text(f"addi sp, sp, -{FRAME + more}")
    text(*(f"sw {name}, {SAVED_AT + 4 * i}(sp)" for i, name in enumerate(SAVED)))
    text(f"sw a0, {TEAM}(sp)", f"mv {ARG}, a1", f"mv {SCRATCH}, a2")
    text("lw gp, 0(a0)", "lw tp, 4(a0)")  # core and cores, until the first product
    text("lw a4, 4(a1)", "lw a5, 8(a1)", "lw a3, 12(a1)")  # E, P, H
    text(f"lui {TO}, 16", f"divu {TO}, {TO}, tp", f"addi {TO}, {TO}, 1", f"mul {FROM}, {TO}, gp")
    text(f"addi {BLOCKS}, a5, 3", f"srli {BLOCKS}, {BLOCKS}, 2", f"mul {ALL}, a3, {BLOCKS}")
    text("mul a2, a3, a5", f"addi {WIDTH}, a2, 3", f"andi {WIDTH}, {WIDTH}, -4")
    text(f"addi {DEPTH}, a4, 3", f"andi {DEPTH}, {DEPTH}, -4")
    text(f"addi {PANELS}, {SCRATCH}, {BIAS_BYTES}", "li a0, 48", f"p_mac {PANELS}, {ALL}, a0")
    text(f"li a0, {48 * tiles}", f"mv {COPY}, {PANELS}", f"p_mac {COPY}, {ALL}, a0")
    text(f"li a0, {4 * tiles}", f"mv {CONTEXT}, {COPY}", f"p_mac {CONTEXT}, {DEPTH}, a0")


def factors(text: Text, tiles: int) -> None:
    """This core's share of the factors less one; -1 where the fast finish does not do."""
    # Twice 128 * 128 is 255 * 128 and more.
    text("li a0, 2", *(f"sw a4, {PARTS + 4 * i}(sp)" for i in range(3)))
    text(f"sw a5, {PARTS + 12}(sp)", f"sw a0, {PARTS + 16}(sp)", f"sw a2, {PARTS + 20}(sp)")
    text("mv a0, gp", f".Lfactor{tiles}:", "slli a1, a0, 2", "add a2, sp, a1")
    text("sltiu a3, a0, 6", f"beqz a3, .Lfactored{tiles}", f"lw a2, {PARTS}(a2)")
    text("slli a2, a2, 14", "addi a4, a0, -3", "sltiu a4, a4, 2", f"bnez a4, .Lbound{tiles}")
    text("li a4, 3", "p_min a4, a0, a4", "slli a4, a4, 3", f"add a4, a4, {ARG}")
    text(f"lw a4, {ARGS['biases']}(a4)", "lw a4, 0(a4)", "add a2, a2, a4", f".Lbound{tiles}:")
    text("add a4, a1, a1", f"add a4, a4, {ARG}", f"lw a3, {ARGS['requants']}(a4)")
    text(*(f"lbu {to}, {ARGS['requants'] + at}(a4)" for to, at in (("t0", 4), ("t1", 5))))
    text(f"lbu t2, {ARGS['requants'] + 6}(a4)", "lhu a3, 0(a3)", "or t0, t0, t2", "neg t1, t1")
    text("addi t1, t1, 16", "srli t2, t1, 31", "or t0, t0, t2", "sll a3, a3, t1")
    text("mulhu t1, a2, a3", "mul a2, a2, a3", "srli a2, a2, 31", "or t0, t0, t1", "or t0, t0, a2")
    text("addi a3, a3, -1", f"beqz t0, .Lfast{tiles}", "li a3, -1", f".Lfast{tiles}:")
    text(f"add a1, a1, {SCRATCH}", "sw a3, 0(a1)", "add a0, a0, tp", f"j .Lfactor{tiles}")
    text(f".Lfactored{tiles}:")


def share(text: Text, count: str, to: tuple[str, str] = (FIRST, LEFT)) -> None:
    """This core's part of `count`: the first, and how many. Takes a1."""
    first, left = to
    text(f"mul {first}, {count}, {FROM}", f"srli {first}, {first}, 16")
    text(f"add a1, {FROM}, {TO}", f"mul {left}, {count}, a1", f"srli {left}, {left}, 16")
    text(f"sub {left}, {left}, {first}")


def biases(text: Text, tiles: int) -> None:
    """This core's heads' biases, zeros behind those of each head."""
    text(f"lw a0, {ARGS['H']}({ARG})")
    share(text, "a0", ("a2", "a3"))
    text(f"beqz a3, .Lspread{tiles}", f"slli a4, {BLOCKS}, 4", f"slli t3, {ALL}, 4")
    text(f"addi a0, {SCRATCH}, {BIAS_BYTES}", "p_mac a0, a2, a4", "mul a2, a2, a5")
    text("slli a2, a2, 2", f"mv t0, {ARG}", "li t1, 3")
    text.loop_address("start", 1, f".Lhead{tiles}")
    text.loop_address("end", 1, f".Lhead_end{tiles}")
    text(f".Lkind{tiles}:", f"lw a1, {ARGS['biases']}(t0)", "add a1, a1, a2", "addi a1, a1, 16")
    text("mv t2, a0", "lp_count 1, a3", f".Lhead{tiles}:", "add t4, t2, a4")
    text(*(f"sw zero, -{4 * i}(t4)" for i in (3, 2, 1)))
    text.loop("a5", f".Lword{tiles}")
    text("p_lw_step t5, a1, 4", f".Lword{tiles}:", "p_sw_step t5, t2, 4", "mv t2, t4")
    text(f".Lhead_end{tiles}:", "nop", "add a0, a0, t3", "addi t0, t0, 8", "addi t1, t1, -1")
    text(f"bnez t1, .Lkind{tiles}", f".Lspread{tiles}:")


def rows_in(text: Text, tiles: int) -> None:
    """This core's rows of the input, the last core the first one."""
    row = "t6"
    text(f"sub {row}, tp, gp", f"addi {row}, {row}, -1", f".Lrow_in{tiles}:")
    text(f"lw a0, {ARGS['S']}({ARG})", f"bgeu {row}, a0, .Lin{tiles}", f"mv a0, {COPY}")
    text(f"lw a2, {ARGS['E']}({ARG})", f"lw a1, {ARGS['input']}({ARG})")
    text(f"p_mac a0, {row}, {DEPTH}", f"p_mac a1, {row}, a2", f"jal .Lmove{tiles}")
    text(f"add {row}, {row}, tp", f"j .Lrow_in{tiles}", f".Lin{tiles}:")


def barrier(text: Text) -> None:
    """All cores are here."""
    text(f"lw a0, {TEAM}(sp)", "jal ts_team_barrier")


def check(text: Text, tiles: int) -> None:
    """Elsewhere where a factor is -1."""
    text(f"lw a0, 0({SCRATCH})")
    for i in range(1, 6):
        text(f"lw a1, {4 * i}({SCRATCH})", "or a0, a0, a1")
    text(f"bltz a0, .Lother{tiles}")


def store(text: Text, **words: str) -> None:
    """Words of the call."""
    text(*(f"sw {register}, {OFFSET[name]}(sp)" for name, register in words.items()))


def project(text: Text, tiles: int, by_channel: bool = False) -> None:
    """This core's blocks of queries, keys and values, which are INDEX 0, 1 and 2. `by_channel`:
    values are [head][channel][tiles][4] instead of [head][blocks][tiles][4][4]."""
    text(f"slli a0, {ALL}, 1", f"add a0, a0, {ALL}")
    share(text, "a0")
    text(f"slli a0, {FIRST}, 4", f"add a0, a0, {SCRATCH}", f"addi a0, a0, {BIAS_BYTES}")
    text(f"li a1, {16 * tiles}", f"mv a2, {PANELS}", f"p_mac a2, {FIRST}, a1", "li a3, 4")
    text(f"srli a4, {DEPTH}, 2", "li a5, 0x602")
    store(text, left=COPY, left_row=DEPTH, bias="a0", output="a2", output_row="a3")
    store(text, output_block="a1", steps="a4", select="a5", kind="zero")
    text("li a0, 16", f"li a1, {tiles}", f"li {INDEX}, 0")
    store(text, output_tile="a0", tiles="a1")
    text(f".Lfind{tiles}:", f"bltu {FIRST}, {ALL}, .Lproduct{tiles}")
    text(f"sub {FIRST}, {FIRST}, {ALL}", f"addi {INDEX}, {INDEX}, 1", f"j .Lfind{tiles}")
    text(f".Lproduct{tiles}:", f"beqz {LEFT}, .Lprojected{tiles}", f"sub a0, {ALL}, {FIRST}")
    text(f"p_minu a0, a0, {LEFT}", f"sub {LEFT}, {LEFT}, a0", f"slli a1, {INDEX}, 3")
    text(f"add a1, a1, {ARG}", f"lw a1, {ARGS['weights']}(a1)", f"slli a2, {FIRST}, 2")
    text(f"p_mac a1, a2, {DEPTH}", f"slli a2, {INDEX}, 2", f"add a2, a2, {SCRATCH}", "lw a2, 0(a2)")
    store(text, blocks="a0", right="a1", factor="a2")
    text(f"addi a0, {INDEX}, -2", f"bnez a0, .Lrows{tiles}", "lui a0, 0x80000")
    text("addi a0, a0, 0x602")
    store(text, select="a0")
    if by_channel:
        text(f"li a0, {4 * tiles}", "li a1, 4")
        store(text, output_row="a0", output_tile="a1")
    text(f".Lrows{tiles}:", f"jal .Lrun{tiles}", f"li {FIRST}, 0", f"addi {INDEX}, {INDEX}, 1")
    blocks, bias, out = (OFFSET[name] for name in ("blocks", "bias", "output"))
    text(f"lw a0, {blocks}(sp)", f"lw a1, {bias}(sp)", f"lw a2, {out}(sp)", "slli a3, a0, 4")
    text("add a1, a1, a3", f"li a3, {16 * tiles}", "p_mac a2, a0, a3")
    store(text, bias="a1", output="a2")
    text(f"j .Lproduct{tiles}", f".Lprojected{tiles}:")


def attend(text: Text, tiles: int) -> None:
    """Scores, softmax and context of this core's rows."""
    text(*(f"sw {name}, {KEPT + 4 * i}(sp)" for i, name in enumerate(OVER)))
    text(f"lw a2, {ARGS['S']}({ARG})", f"lw a3, {ARGS['P']}({ARG})", f"lw a0, {ARGS['H']}({ARG})")
    text("mul a0, a0, a2")
    share(text, "a0")
    text(f"beqz {LEFT}, .Lattended{tiles}", f"lw a5, {ARGS['entries']}({ARG})")
    text(f"sw a2, {LOCALS}(sp)", f"sw a3, {LOCALS + 4}(sp)", f"sw {WIDTH}, {LOCALS + 8}(sp)")
    a = attention
    text(f"li a0, {16 * tiles}", f"mv {a.KEYS}, {PANELS}", f"p_mac {a.KEYS}, {ALL}, a0")
    text(f"mv {a.VALUES}, {a.KEYS}", f"p_mac {a.VALUES}, {ALL}, a0", f"mul a0, a0, {BLOCKS}")
    text(f"lw {a.SCORES}, 12({SCRATCH})", f"lw {a.MIX}, 16({SCRATCH})", f"mv a4, {WIDTH}")
    text(f"addi {a.PAIRS}, a5, 1024")
    a.begin(text, FIRST, rows="a2", channels="a3", width="a4", panel="a0")
    a.write_rows(text, tiles, LOCALS)
    text(f".Lattended{tiles}:")
    text(*(f"lw {name}, {KEPT + 4 * i}(sp)" for i, name in enumerate(OVER)))


def output(text: Text, tiles: int) -> None:
    """This core's blocks of tiles' columns, and out of the copy to their place."""
    row, source, count, to = INDEX, "s4", "s5", "s8"
    text(f"srli {source}, {DEPTH}, 2")
    text(f"li a0, {tiles}", f"mul a0, a0, {source}")
    share(text, "a0")
    text(f"srli a0, {WIDTH}, 2", "li a1, 1", "li a2, 4", "li a3, 0x602", f"lw a4, 20({SCRATCH})")
    store(text, left_row=WIDTH, steps="a0", tiles="a1", output_row=DEPTH, output_block="a2")
    store(text, select="a3", factor="a4")
    text(f"li {row}, 0", f".Ltile{tiles}:", f"bltu {FIRST}, {source}, .Lpart_of{tiles}")
    text(f"sub {FIRST}, {FIRST}, {source}", f"addi {row}, {row}, 4", f"j .Ltile{tiles}")
    text(f".Lpart_of{tiles}:", f"beqz {LEFT}, .Lend{tiles}", f"srli a0, {DEPTH}, 2")
    text(f"sub a0, a0, {FIRST}", f"p_minu a0, a0, {LEFT}", f"sub {LEFT}, {LEFT}, a0")
    text(f"mv a1, {CONTEXT}", f"p_mac a1, {row}, {WIDTH}", f"slli a2, {FIRST}, 2")
    text(f"lw a3, {ARGS['o_weight']}({ARG})", f"p_mac a3, a2, {WIDTH}", f"slli a4, {FIRST}, 4")
    text(f"lw a5, {ARGS['o_bias']}({ARG})", "add a4, a4, a5", "addi a4, a4, 16")
    text(f"add {source}, {COPY}, a2", f"p_mac {source}, {row}, {DEPTH}")
    store(text, blocks="a0", left="a1", right="a3", bias="a4", output=source)
    text(
        "slli a0, a0, 2", f"lw a1, {ARGS['E']}({ARG})", "sub a3, a1, a2", f"p_minu {count}, a0, a3"
    )
    text(f"lw {to}, {ARGS['output']}({ARG})", f"add {to}, {to}, a2", f"p_mac {to}, {row}, a1")
    text(f"jal .Lrun{tiles}", f"li {FIRST}, 0", f".Lrow_out{tiles}:", f"mv a0, {to}")
    text(f"mv a1, {source}", f"mv a2, {count}", f"jal .Lmove{tiles}", f"addi {row}, {row}, 1")
    text(f"lw a0, {ARGS['S']}({ARG})", f"lw a1, {ARGS['E']}({ARG})", f"add {to}, {to}, a1")
    text(f"add {source}, {source}, {DEPTH}", f"bgeu {row}, a0, .Lend{tiles}", f"andi a0, {row}, 3")
    text(f"bnez a0, .Lrow_out{tiles}", f"j .Lpart_of{tiles}", f".Lend{tiles}:")


def leave(text: Text, more: int = 0) -> None:
    """Registers as they were."""
    text(*(f"lw {name}, {SAVED_AT + 4 * i}(sp)" for i, name in enumerate(SAVED)))
    text(f"addi sp, sp, {FRAME + more}")


def subroutines(text: Text, tiles: int) -> None:
    """The call at sp; a2 bytes from a1 to a0, which takes t0."""
    text(f".Lrun{tiles}:", "mv a0, sp", "li a1, 1", "j ts_xp_fast4")
    text(f".Lmove{tiles}:", "srli a3, a2, 2", f"beqz a3, .Lbytes{tiles}")
    text.loop("a3", f".Lmoved{tiles}")
    text("p_lw_step a4, a1, 4", f".Lmoved{tiles}:", "p_sw_step a4, a0, 4", f".Lbytes{tiles}:")
    text("andi a2, a2, 3", f"beqz a2, .Lwhole{tiles}")
    text.loop("a2", f".Lbyte{tiles}")
    text(
        "p_lbu_step a4, a1, 1", f".Lbyte{tiles}:", "p_sb_step a4, a0, 1", f".Lwhole{tiles}:", "ret"
    )


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
