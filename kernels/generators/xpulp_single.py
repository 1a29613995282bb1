# SPDX-License-Identifier: Apache-2.0
"""Assembly for layers of a single row on XpulpV2: python -m kernels.generators.xpulp_single OUT.S

    void ts_xp_single_attention(const ts_team *team, const ts_mhsa_args *args, int8_t *scratch,
                                ts_mhsa_fn *other)

and the same with fused weights of queries and keys, ts_xp_single_fused_attention
(kernels/include/ts_xpulp_single.h). A row that attends to nothing but itself has a map of a single
255, whatever its score: neither queries nor keys are needed, the context is the values times 255.
That leaves two products of a row by a matrix, values with the context's requantisation behind
theirs and, past a barrier, the output, whose second requantisation changes nothing. One piece of
code does both: each core takes an equal number of blocks of 4 columns, heads behind each other.

A block starts with the last word of depth, which may be the part of one: its bytes were copied to
the stack, as nothing may be read behind the row, and where a step's weights are zero anything will
do. Its channels are finished one by one in a loop, out of registers that move up, so that a head's
last block has no more of them than there are. All of that is to be few lines of code: most of them
run once or twice a call, and a line that is not in the shared instruction cache costs 18 cycles.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from kernels.generators.assembly import Text, write

# Bytes of ts_team, ts_mhsa_args and ts_mhsa_fwsa_args; "v", "context" and "o" are a ts_requant's:
# its multipliers, then [per_channel, shift, round_half_up].
CORE, CORES = 0, 4
ARGS = {"E": 4, "P": 8, "H": 12, "input": 32, "v_weight": 52, "v_bias": 56}
ARGS |= {"o_weight": 60, "o_bias": 64, "v": 84, "context": 100, "o": 108, "output": 124}
FUSED = {"E": 4, "P": 8, "H": 12, "input": 32, "v_weight": 44, "v_bias": 48}
FUSED |= {"o_weight": 52, "o_bias": 56, "v": 76, "context": 84, "o": 92, "output": 108}
BIAS_BYTES = 16  # before a layer's biases: the largest one
Arguments = Mapping[str, int]
# Words of the frame.
WORDS = ("tail", "channels", "left", "team", "args", "scratch", "other")
AT = {name: 4 * index for index, name in enumerate(WORDS)}
SAVED = ("ra", "s0", "s1", "s4", "s5", "s6")
FRAME = (4 * (len(WORDS) + len(SAVED)) + 15) // 16 * 16
SAVED_AT = FRAME - 4 * len(SAVED)
# Of a product: columns of a head and heads until the blocks are shared out, then places of this
# core's; (sum + bias) * FACTOR >> SHIFT, clipped, times MIX >> MIX_SHIFT, clipped. Both factors are
# less one: p_mac takes a cycle less than mul.
DEPTH, CHANNELS, BLOCKS, WEIGHTS = "a0", "a3", "a4", "a5"
BIAS, OUTPUT, FACTOR, SHIFT, MIX, MIX_SHIFT = "s0", "s1", "s5", "s6", "s4", "ra"
SUMS, B = ("t0", "t1", "t2", "t3"), ("a0", "a1", "a2", "a3")
FULL, REST, COUNT, LEFT, TAIL, A = "t4", "t5", "t6", "a6", "a7", "a4"
# Numerators and divisors are scaled: a division takes a cycle less for every bit. So a product has
# less than 2^15 blocks; the weights of more take up more than 1.5 MB.
SCALE = 17
# Bytes behind a multiple of 1024, which is a way of the shared instruction cache: found by trial.
PLACE = 512


def module() -> str:
    """The whole file."""
    text = Text()
    write_function(text, "ts_xp_single_attention", ARGS)
    write_function(text, "ts_xp_single_fused_attention", FUSED)
    return text.file("xpulp_single")


def write_function(text: Text, name: str, at: Arguments) -> None:
    """One of the two; its labels have its name."""
    text(f'.section .text.{name}, "ax"', ".balign 1024", f".skip {PLACE}")
    text.begin(name)
    begin = len(text.lines)
    enter(text)
    values(text, at)
    check(text)
    share(text)
    tail(text)
    blocks(text)
    text(".Ldone:", f"beqz {MIX}, .Lleave")
    load(text, team="a0")
    text("jal ts_team_barrier")
    output(text, at)
    text(".Lleave:")
    restore(text)
    text("ret", ".Lother:")
    load(text, team="a0", args="a1", scratch="a2", other="t0")
    restore(text)
    text("jr t0")
    text.lines[begin:] = [line.replace(".L", f".L{name}_") for line in text.lines[begin:]]
    text.end(name)


def load(text: Text, **words: str) -> None:
    """Words of the frame into registers."""
    text(*(f"lw {register}, {AT[name]}(sp)" for name, register in words.items()))


def enter(text: Text) -> None:
    """The frame."""
    text(f"addi sp, sp, -{FRAME}")
    text(*(f"sw {name}, {SAVED_AT + 4 * i}(sp)" for i, name in enumerate(SAVED)))
    text(*(f"sw a{i}, {AT[name]}(sp)" for i, name in enumerate(WORDS[3:])))


def restore(text: Text) -> None:
    """Registers as they were."""
    text(*(f"lw {name}, {SAVED_AT + 4 * i}(sp)" for i, name in enumerate(SAVED)))
    text(f"addi sp, sp, {FRAME}")


def arguments(text: Text, at: Arguments, **registers: str) -> None:
    """Words of the arguments at a1; `v_word` is the second one of requantisation `v`."""
    for name, register in registers.items():
        offset = at[name.removesuffix("_word")] + 4 * name.endswith("_word")
        text(f"lw {register}, {offset}(a1)")


def values(text: Text, at: Arguments) -> None:
    """What the first product is of: 255 times context's multiplier is below 2^24, and 128 times
    that below 2^31."""
    arguments(text, at, context=BLOCKS, context_word=MIX_SHIFT, E=DEPTH)
    text(f"lhu {MIX}, 0({BLOCKS})")
    arguments(text, at, P=CHANNELS, H=BLOCKS, v_weight=WEIGHTS, v_bias=BIAS)
    text(f"slli t0, {MIX}, 8", f"not {MIX}, {MIX}", f"add {MIX}, {MIX}, t0")
    arguments(text, at, input=LEFT, v=FACTOR, v_word=SHIFT)
    text(f"mv {OUTPUT}, a2")


def output(text: Text, at: Arguments) -> None:
    """What the second product is of."""
    load(text, args="a1", scratch=LEFT)
    arguments(text, at, P=DEPTH, H=BLOCKS, E=CHANNELS)
    text(f"mul {DEPTH}, {DEPTH}, {BLOCKS}", f"li {BLOCKS}, 1")
    arguments(text, at, o_weight=WEIGHTS, o_bias=BIAS, o=FACTOR, o_word=SHIFT, output=OUTPUT)
    text(f"li {MIX}, 0", f"li {MIX_SHIFT}, 0", "j .Lproduct")


def check(text: Text) -> None:
    """Elsewhere where channels have factors, something is rounded, or 32 bits do not do; all cores
    find the same. A ts_requant's last byte may be anything; of a shift's register five bits
    count."""
    text(".Lproduct:", f"lhu {FACTOR}, 0({FACTOR})", f"lw a1, 0({BIAS})", f"slli a2, {DEPTH}, 14")
    text(f"sw {LEFT}, {AT['left']}(sp)", f"sw {CHANNELS}, {AT['channels']}(sp)")
    text("add a1, a1, a2", "slli a1, a1, 1", f"mulhu a1, a1, {FACTOR}")
    text(f"or a2, {SHIFT}, {MIX_SHIFT}", "slli a2, a2, 8", "p_bclr a2, a2, 7, 16", "or a1, a1, a2")
    text("bnez a1, .Lother", f"addi {FACTOR}, {FACTOR}, -1")
    text(f"srli {SHIFT}, {SHIFT}, 8", f"srli {MIX_SHIFT}, {MIX_SHIFT}, 8")


def share(text: Text) -> None:
    """This core's blocks: how many, and the place of the first one."""
    first, per, cores = "a2", "a1", "t1"
    load(text, team=first)
    text(f"addi {per}, {CHANNELS}, 3", f"srli {per}, {per}, 2", f"mul {BLOCKS}, {BLOCKS}, {per}")
    text(f"lw {cores}, {CORES}({first})", f"lw {first}, {CORE}({first})")
    # Their quotient, rounded up, by addition: few lines, and mostly it is one, two or three.
    text(f"li {COUNT}, 1", f"mv t0, {cores}", ".Lshare:", f"bgeu t0, {BLOCKS}, .Lshared")
    text(f"add t0, t0, {cores}", f"addi {COUNT}, {COUNT}, 1", "j .Lshare", ".Lshared:")
    text(f"mul {first}, {first}, {COUNT}")
    text(f"sub {BLOCKS}, {BLOCKS}, {first}", f"p_min {COUNT}, {COUNT}, {BLOCKS}")
    text(f"blez {COUNT}, .Ldone", f"addi {FULL}, {DEPTH}, -1", f"srli {FULL}, {FULL}, 2")
    text(f"addi a4, {FULL}, 1", "slli a4, a4, 4", f"p_mac {WEIGHTS}, a4, {first}")
    # The head, and the block in it.
    at = "a4"
    text(f"li {at}, 0", f"bltu {first}, {per}, .Lplace")
    text(f"slli t0, {first}, {SCALE}", f"slli t1, {per}, {SCALE}", "divu t0, t0, t1")
    text(f"p_msu {first}, t0, {per}", f"mul {at}, t0, {CHANNELS}", ".Lplace:")
    text(f"slli {first}, {first}, 2", f"sub {REST}, {CHANNELS}, {first}")
    text(f"add {at}, {at}, {first}", f"add {OUTPUT}, {OUTPUT}, {at}")
    text(f"slli {at}, {at}, 2", f"addi {at}, {at}, {BIAS_BYTES}")
    text(f"add {BIAS}, {BIAS}, {at}")


def tail(text: Text) -> None:
    """The last bytes of the row, one to four, in a word."""
    text(f"slli a4, {FULL}, 2", f"sub {DEPTH}, {DEPTH}, a4", f"add a4, a4, {LEFT}", "mv a1, sp")
    text.loop(DEPTH, ".Lbyte")
    text("p_lbu_step a2, a4, 1", ".Lbyte:", "p_sb_step a2, a1, 1")
    load(text, tail=TAIL)


def blocks(text: Text) -> None:
    """COUNT of them."""
    text(".Lblock:", f"slli a4, {FULL}, 4", f"add a4, a4, {WEIGHTS}")
    text(*(f"lw {b}, {4 * i}(a4)" for i, b in enumerate(B)))
    load(text, left=LEFT)
    text(*(f"pv_dotsp_b {to}, {TAIL}, {b}" for to, b in zip(SUMS, B, strict=True)))
    text(f"beqz {FULL}, .Lsums")
    text.loop(FULL, ".Lstep")
    text(f"p_lw_step {A}, {LEFT}, 4", *(f"p_lw_step {b}, {WEIGHTS}, 4" for b in B))
    products = [f"pv_sdotsp_b {to}, {A}, {b}" for to, b in zip(SUMS, B, strict=True)]
    text(*products[:-1], ".Lstep:", products[-1])
    text(".Lsums:", f"addi {WEIGHTS}, {WEIGHTS}, 16", "li a0, 4", f"p_minu a0, a0, {REST}")
    text(f"sub {REST}, {REST}, a0")
    finish(text)
    text(f"bnez {REST}, .Lwithin")
    load(text, channels=REST)
    text(".Lwithin:", f"addi {COUNT}, {COUNT}, -1", f"bnez {COUNT}, .Lblock")


def finish(text: Text) -> None:
    """a0 channels."""
    value, total = "a1", SUMS[0]
    text.loop("a0", ".Lchannel")
    text(f"p_lw_step {value}, {BIAS}, 4", f"p_mac {total}, {total}, {FACTOR}")
    text(f"p_mac {value}, {value}, {FACTOR}", f"add {value}, {value}, {total}")
    text(f"sra {value}, {value}, {SHIFT}", f"p_clip {value}, {value}, 8")
    text(f"p_mac {value}, {value}, {MIX}", f"sra {value}, {value}, {MIX_SHIFT}")
    text(f"p_clip {value}, {value}, 8", *(f"mv {SUMS[i]}, {SUMS[i + 1]}" for i in range(3)))
    text(".Lchannel:", f"p_sb_step {value}, {OUTPUT}, 1")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
