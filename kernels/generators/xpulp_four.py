# SPDX-License-Identifier: Apache-2.0
"""Assembly for layers of four rows on XpulpV2: python -m kernels.generators.xpulp_four OUT.S

    void ts_xp_four_attention(...)             a whole attention layer
    void ts_xp_four_layer(ts_xp_four *four)    one linear layer, left * right^T + bias
    void ts_xp_four_values(ts_xp_four *four)   a head from its values to its context

and the first with fused weights of queries and keys, ts_xp_four_fused_attention
(kernels/include/ts_xpulp_four.h). With four rows, code around the products
takes longer to fetch than to run: a line of 16 bytes that is not in the shared cache costs 18
cycles. So there is one product, which all stages run one after the other, and between them little
more than the loads of what they differ in. A product writes panels, [columns / 4][4 rows][4 bytes],
which is what the next one reads; values go by columns, [columns / 4][4 columns][4 bytes].

A product: 4 rows by 4 columns, sums start at the bias, 24 instructions per 4 bytes of depth; then
sums * factor, bits 16 to 23 after saturation, as ts_xp_fast4 of xpulp_product.py. Softmax is of
rows of a word each, from the pairs of xpulp_softmax.py. With entries e of at most 128,
m = floor((255 << 16) / sum) + 1 gives (e * m) >> 16 = floor(255 * e / sum): the error is at most
e / 65536, which is below 1 / sum but for e = 128 and sum = 512, where 255 * e / sum is 63.75. A
division takes a cycle less for every bit that its divisor is longer: (255 << 24) / (sum << 8).

While a function runs, sp points at the ts_xp_four, so that its words cost two bytes to reach:
interrupts need a stack of their own.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write

# The words of ts_xp_four, in order; the last ones are the functions' own.
FIELDS = (
    *("left", "left_row", "left_turn", "steps", "right", "bias", "blocks", "output"),
    *(f"factor{i}" for i in range(6)),
    *("q_weight", "q_bias", "k_weight", "k_bias", "v_weight", "v_bias"),
    *("input", "input_steps", "queries", "keys", "pairs", "heads", "head_blocks"),
    *("zeros", "zero1", "zero2", "zero3", "back", "after", "caller"),
    *("team", "context", "context_steps", "result"),
)
# The words of the arguments of a layer, ts_mhsa_args and ts_mhsa_fwsa_args.
ARGUMENTS = (
    *("S", "E", "P", "H", "F", "tile", "heads", "order", "input"),
    *("q_weight", "q_bias", "k_weight", "k_bias", "v_weight", "v_bias", "o_weight", "o_bias"),
    *(f"requant{i}" for i in range(12)),
    *("table", "largest", "output"),
)
FUSED_ARGUMENTS = tuple(
    name for name in ARGUMENTS if name[:2] != "k_" and name not in ("requant10", "requant11")
)
OFFSET = {name: 4 * index for index, name in enumerate(FIELDS)}
# Which factor is whose, without and with fused weights.
FACTORS = (
    {"q": 0, "k": 1, "v": 2, "scores": 3, "context": 4, "layer": 5},
    {"q": 0, "scores": 1, "v": 2, "context": 3, "layer": 4},
)
SAVED = ("ra", "gp", "tp", *(f"s{i}" for i in range(12)))
SAVED_AT = 4 * len(FIELDS)
FRAME = (SAVED_AT + 4 * len(SAVED) + 15) // 16 * 16

# Short instructions can name these. Where the left operand stays in registers, it is in MAP.
TURN, FACTOR, RIGHT, BIAS, LEFT, OUTPUT = (f"a{i}" for i in range(6))
ROW, SELECT = "s0", "s1"
MAP = (ROW, TURN, LEFT, BIAS)
A = ("a6", "a7")
B = ("t0", "t1", "t2", "t3")
ALL_SUMS = ("t4", "t5", "t6", "ra", "gp", "tp", *(f"s{i}" for i in range(2, 12)))
SUMS = tuple(ALL_SUMS[4 * row : 4 * row + 4] for row in range(4))
# For pv.shuffle2.b: the third bytes of two registers. The top bit says that words are columns.
THIRD_BYTES, COLUMNS = 0x602, 0x80000000


class Four:
    """A section with two functions, while it is written."""

    def __init__(self, text: Text, fused: bool) -> None:
        self.text, self.fused = text, fused
        self.prefix = "ts_xp_four_fused" if fused else "ts_xp_four"

    def label(self, name: str) -> str:
        """A label of this section."""
        return f".L{self.prefix}_{name}"

    def load(self, **words: str) -> None:
        """Words of the ts_xp_four into registers."""
        self.text(*(f"lw {register}, {OFFSET[name]}(sp)" for name, register in words.items()))

    def store(self, **words: str) -> None:
        """Registers into words of the ts_xp_four."""
        self.text(*(f"sw {register}, {OFFSET[name]}(sp)" for name, register in words.items()))

    def factor(self, product: str) -> None:
        """That of a product."""
        self.load(**{f"factor{FACTORS[self.fused][product]}": FACTOR})

    def write(self) -> None:
        """The whole section."""
        text, attention = self.text, f"{self.prefix}_attention"
        text.begin(attention, hot=True)
        self._check()
        self._scale()
        self._lay_out()
        text(f"jal t0, {self.label('heads')}")
        self._output()
        self._leave()
        self._enter()
        self._heads()
        self._product()
        self._mix()
        self._columns()
        if not self.fused:
            self._layer()
            self._values()
        self._other()
        text.end(attention)

    def _enter(self) -> None:
        """Called through t0; sp to the ts_xp_four at a0, and where the hardware loops end."""
        text = self.text
        text(f"{self.label('enter')}:", "mv t1, sp", "mv sp, a0")
        text(*(f"sw {name}, {SAVED_AT + 4 * i}(sp)" for i, name in enumerate(SAVED)))
        self.store(caller="t1")
        text.loop_address("start", 0, self.label("step"))
        text.loop_address("end", 0, self.label("step_end"))
        text.loop_address("end", 1, self.label("block_end"))
        text(f"li {SELECT}, {THIRD_BYTES}", "jr t0")

    def _leave(self) -> None:
        text = self.text
        text(f"{self.label('leave')}:")
        self._restore()
        text("ret")

    def _restore(self) -> None:
        self.text(*(f"lw {name}, {SAVED_AT + 4 * i}(sp)" for i, name in enumerate(SAVED)))
        self.load(caller="sp")

    def _function(self, name: str) -> None:
        function = f"{self.prefix}_{name}"
        self.text(f".globl {function}", f".type {function}, @function", f"{function}:")
        self.text(f"jal t0, {self.label('enter')}")
        self.load(left_row=ROW, left_turn=TURN)

    def _layer(self) -> None:
        self._function("layer")
        self.load(right=RIGHT, bias=BIAS, output=OUTPUT, blocks=B[0])
        self.factor("layer")
        self.text(f"jal ra, {self.label('product')}", f"j {self.label('leave')}")

    def _values(self) -> None:
        self._function("values")
        self.load(output=OUTPUT)
        self.text(f"lla t0, {self.label('leave')}")
        self.store(after="t0")
        self.text(f"j {self.label('by_columns')}")

    def argument(self, register: str, name: str, base: str = "a1") -> None:
        """A word of the layer's arguments."""
        names = FUSED_ARGUMENTS if self.fused else ARGUMENTS
        self.text(f"lw {register}, {4 * names.index(name)}({base})")

    def _check(self) -> None:
        """a0: team, a1: arguments, a2: scratch memory, a3: what does all other layers. Leaves E, P,
        H * P, pairs in a4 to a7, heads and blocks of this core in t5 and t6; the ts_xp_four is on
        the stack."""
        text = self.text
        self.argument("a4", "S")
        text("li a5, 4", f"bne a4, a5, {self.label('other')}")
        for register, name in zip(("a4", "a5", "t2"), "EPH", strict=True):
            self.argument(register, name)
        text("lw t3, 4(a0)", "andi t4, a5, 3", f"bnez t4, {self.label('other')}")
        # Shares are even only with a power of two of cores.
        text("p_ff1 t4, t3", "srl t5, t2, t4", "mul t6, t5, t3")
        text(f"bne t6, t2, {self.label('other')}")
        text("srl t6, a4, t4", "srli t6, t6, 2", "mul a6, t6, t3", "slli a6, a6, 2")
        text(f"bne a6, a4, {self.label('other')}")
        text("mul a6, t2, a5")
        if not self.fused:  # The output's panels have to fit behind the context.
            text("slli a7, a6, 1", f"bltu a7, a4, {self.label('other')}")
        self.argument("a7", "table")
        text("addi a7, a7, 1024", "lw t4, 0(a7)", f"beqz t4, {self.label('other')}")
        text("mv t2, a0", f"addi a0, sp, -{FRAME}", f"jal t0, {self.label('enter')}")
        self.store(team="t2")

    def _bound(self, product: str, register: str) -> None:
        self.store(**{f"factor{FACTORS[self.fused][product]}": register})

    def _scale(self) -> None:
        """The factors, in the order of the arguments' requantisations; until then their words hold
        the largest sums."""
        text = self.text
        text("slli t2, a4, 14")
        for name in "qv" if self.fused else "qkv":
            self.argument("s0", f"{name}_bias")
            text("lw s0, 0(s0)", "add s0, s0, t2")
            self._bound(name, "s0")
        if not self.fused:
            text("slli t2, a5, 14")
        self._bound("scores", "t2")
        text(f"li s0, {255 * 128}")
        self._bound("context", "s0")
        self.argument("s0", "o_bias")
        text("lw s0, 0(s0)", "slli t2, a6, 14", "add s0, s0, t2")
        self._bound("layer", "s0")
        names = FUSED_ARGUMENTS if self.fused else ARGUMENTS
        count = len(FACTORS[self.fused])
        text(f"addi s0, a1, {4 * names.index('requant0')}", f"addi t2, sp, {OFFSET['factor0']}")
        text(f"addi t3, t2, {4 * count}", "lui t4, 16 << 4", "li s2, 0", "li s3, 0")
        # The flags before and behind the shift have to be 0, the shift at most 16.
        text(
            f"{self.label('scale')}:", "p_lw_step s4, s0, 4", "p_lw_step s5, s0, 4", "lw s6, 0(t2)"
        )
        text("lhu s4, 0(s4)", "slli s5, s5, 8", "sub s5, t4, s5", "slli s7, s5, 16")
        text("or s2, s2, s5", "or s2, s2, s7", "srai s5, s5, 16", "sll s4, s4, s5")
        text("slli s6, s6, 1", "mulhu s6, s6, s4", "addi s4, s4, -1", "or s3, s3, s6")
        text("p_sw_step s4, t2, 4", f"bne t2, t3, {self.label('scale')}")
        text(f"bltz s2, {self.label('wide')}", f"bnez s3, {self.label('wide')}")

    def _offset(self, register: str, name: str, offset: str) -> None:
        """A pointer of the arguments, moved, to the word of the same name."""
        self.argument(register, name)
        self.text(f"add {register}, {register}, {offset}")
        self.store(**{name: register})

    def _lay_out(self) -> None:
        """The words of ts_xp_four; column: this core's first one of the output."""
        text = self.text
        text("srli s0, a4, 2", "slli t2, a4, 2", "sub t2, a4, t2", "addi t2, t2, 4")
        self.store(left_row="a4", left_turn="t2", input_steps="s0", context="a2")
        self.load(team="t3")
        text("srli s0, a5, 2", "srli t2, a6, 2", "lw t3, 0(t3)")
        self.store(head_blocks="s0", context_steps="t2", heads="t5", blocks="t6", pairs="a7")
        self.store(zeros="zero", zero1="zero", zero2="zero", zero3="zero")
        self.argument("s0", "input")
        self.store(input="s0")
        # t5: first head, t2: its first column
        text("mul t5, t5, t3", "mul t2, t5, a5", "slli t4, t2, 2", "add s0, a2, t4")
        self.store(queries="s0")
        text("addi t4, t4, 16", "mul t2, t2, a4")
        for name in "v" if self.fused else "kv":
            self._offset("s0", f"{name}_weight", "t2")
            self._offset("s0", f"{name}_bias", "t4")
        if self.fused:
            text("mul t2, t5, a4", "slli t4, t2, 2", "addi t4, t4, 16", "mul t2, t2, a4")
        self._offset("s0", "q_weight", "t2")
        self._offset("s0", "q_bias", "t4")
        text("slli s0, a6, 2", "add s0, s0, a2", f"add t2, a5, {'a4' if self.fused else 'a5'}")
        text("slli t2, t2, 2", "addi t2, t2, 16", "mul t2, t2, t3", "add t2, t2, s0")
        self.store(keys="t2")
        # t6: first column of the output
        text("mul t6, t6, t3", "slli t6, t6, 2", "slli t2, t6, 2", "add s0, s0, t2")
        self.store(output="s0")
        text("addi t2, t2, 16")
        self.argument("s0", "o_bias")
        text("add s0, s0, t2")
        self.store(bias="s0")
        text("mul t2, t6, a6")
        self.argument("s0", "o_weight")
        text("add s0, s0, t2")
        self.store(right="s0")
        self.argument("s0", "output")
        text("add s0, s0, t6")
        self.store(result="s0")

    def _output(self) -> None:
        """The output projection, from the context in panels to rows."""
        text = self.text
        # ts_team_barrier may need a stack and what a program keeps in gp and tp.
        self.load(team="a0")
        text("mv s0, sp", *(f"lw {r}, {SAVED_AT + 4 * SAVED.index(r)}(sp)" for r in ("gp", "tp")))
        self.load(caller="sp")
        text("call ts_team_barrier", "mv sp, s0")
        self.load(context=LEFT, context_steps=B[0])
        self.store(left=LEFT, steps=B[0])
        text(f"li {ROW}, 4", f"li {TURN}, 4")
        self.load(right=RIGHT, bias=BIAS, output=OUTPUT, blocks=B[0])
        self.factor("layer")
        text(f"jal ra, {self.label('product')}")
        self.load(output=LEFT, result=RIGHT, left_row=ROW, left_turn=TURN)
        text(f"{self.label('copy')}:")
        for step in (ROW, ROW, ROW, TURN):
            text(f"p_lw_step {B[0]}, {LEFT}, 4", f"p_sw_post {B[0]}, {RIGHT}, {step}")
        text(f"bne {LEFT}, {OUTPUT}, {self.label('copy')}")

    def _other(self) -> None:
        """Where none of this does."""
        self.text(f"{self.label('wide')}:")
        self.load(team="a0")
        self._restore()
        self.text(f"{self.label('other')}:", "jr a3")

    def _project(self, name: str, blocks: str) -> None:
        """Queries, keys or values of a head; the next head's weights and biases follow."""
        weight, bias = f"{name}_weight", f"{name}_bias"
        self.load(**{weight: RIGHT, bias: BIAS, blocks: B[0]})
        self.factor(name)
        self.text(f"jal ra, {self.label('product')}")
        self.store(**{weight: RIGHT, bias: BIAS})

    def _heads(self) -> None:
        """In memory values follow the keys (or fused queries), and the map the values."""
        text = self.text
        text(f"{self.label('heads')}:")
        self.store(after="t0")
        text(f"{self.label('head')}:")
        self.load(input=LEFT, left_row=ROW, left_turn=TURN, input_steps=B[0])
        self.store(left=LEFT, steps=B[0])
        if not self.fused:
            self.load(queries=OUTPUT)
            self._project("q", "head_blocks")
        self.load(keys=OUTPUT)
        if self.fused:
            self._project("q", "input_steps")
        else:
            self._project("k", "head_blocks")
        text(f"{self.label('by_columns')}:")
        text(f"lui {B[0]}, {COLUMNS >> 12:#x}", f"or {SELECT}, {SELECT}, {B[0]}")
        self._project("v", "head_blocks")
        if not self.fused:  # The scores' left operand is the queries; else still the input.
            self._by_rows()
            self.load(queries=LEFT, head_blocks=B[0])
            self.store(left=LEFT, steps=B[0])
            text(f"li {ROW}, 4", f"li {TURN}, 4")
        self.load(keys=RIGHT)
        self.factor("scores")
        text(f"addi {BIAS}, sp, {OFFSET['zeros']}", f"li {B[0]}, 1")
        text(f"jal ra, {self.label('product')}")
        if self.fused:
            self._by_rows()
        self._softmax()
        # `right` is at the values already.
        self.load(queries=OUTPUT, head_blocks=B[0])
        self.factor("context")
        text(f"jal ra, {self.label('mix')}")
        self.load(heads=B[0])
        self.store(queries=OUTPUT)
        text(f"addi {B[0]}, {B[0]}, -1")
        self.store(heads=B[0])
        text(f"bnez {B[0]}, {self.label('head')}")
        self.load(after="t0")
        text("jr t0")

    def _by_rows(self) -> None:
        """Words are rows again."""
        self.text(f"slli {SELECT}, {SELECT}, 1", f"srli {SELECT}, {SELECT}, 1")

    def _softmax(self) -> None:
        """Of the four words in memory before `output`; the result goes to the registers MAP."""
        text, at = self.text, OUTPUT
        low, high, ones, numerator, pairs, end = *B, *A
        word, most, a, b, a_high, b_high, total, share = ALL_SUMS[:8]
        self.load(pairs=pairs)
        text(f"mv {end}, {at}", f"addi {at}, {at}, -16", f"li {low}, 0x8004")
        text(f"slli {high}, {low}, 16", f"li {ones}, 0x01000100", f"lui {numerator}, 0xff000")
        text(f"{self.label('row')}:", f"lw {word}, 0({at})", f"srli {most}, {word}, 16")
        text(f"pv_max_b {most}, {most}, {word}", f"srli {total}, {most}, 8")
        text(f"pv_max_b {most}, {most}, {total}", f"pv_shuffleI0_sci_b {most}, {most}, 0")
        text(f"pv_sub_b {word}, {most}, {word}", f"pv_minu_sci_b {word}, {word}, 31")
        text(f"pv_dotup_b {a}, {word}, {low}", f"pv_dotup_b {b}, {word}, {high}")
        text(f"p_lw_at {a}, {pairs}, {a}", f"p_lw_at {b}, {pairs}, {b}")
        text(f"pv_dotup_h {total}, {a}, {ones}", f"pv_sdotup_h {total}, {b}, {ones}")
        text(f"divu {share}, {numerator}, {total}")
        text(f"srli {a_high}, {a}, 16", f"srli {b_high}, {b}, 16")
        text(f"p_exthz {a}, {a}", f"p_exthz {b}, {b}")
        text(*(f"p_mac {name}, {name}, {share}" for name in (a, a_high, b, b_high)))
        text(f"pv_shuffle2_b {a}, {a_high}, {SELECT}", f"pv_shuffle2_b {b}, {b_high}, {SELECT}")
        text(f"pv_pack_h {a}, {b}, {a}", f"p_sw_step {a}, {at}, 4")
        text(f"bne {at}, {end}, {self.label('row')}")
        text(*(f"lw {name}, {4 * i - 16}({at})" for i, name in enumerate(MAP)))

    def _product(self) -> None:
        """B[0] blocks of 4 columns; returns with `right`, `bias` and `output` behind them."""
        text = self.text
        text(f"{self.label('product')}:")
        self.store(back="ra")
        text.loop_address("start", 1, self.label("block"))
        text(f"lp_count 1, {B[0]}", f"{self.label('block')}:")
        self.load(steps=B[0], left=LEFT)
        text(*(f"p_lw_step {name}, {BIAS}, 4" for name in SUMS[0]), f"lp_count 0, {B[0]}")
        for row in SUMS[1:]:
            text(*(f"mv {to}, {start}" for to, start in zip(row, SUMS[0], strict=True)))
        text(f"{self.label('step')}:", f"p_lw_step {B[0]}, {RIGHT}, 4")
        text(f"p_lw_post {A[0]}, {LEFT}, {ROW}")
        text(*(f"p_lw_step {b}, {RIGHT}, 4" for b in B[1:]))
        for row, sums in enumerate(SUMS):
            text(*(f"pv_sdotsp_b {sums[i]}, {A[row % 2]}, {B[i]}" for i in range(3)))
            if row < 3:
                text(f"p_lw_post {A[(row + 1) % 2]}, {LEFT}, {TURN if row == 2 else ROW}")
            else:
                text(f"{self.label('step_end')}:")
            text(f"pv_sdotsp_b {sums[3]}, {A[row % 2]}, {B[3]}")
        text(f"{self.label('sums')}:")
        text(*(f"p_mac {name}, {name}, {FACTOR}" for name in ALL_SUMS))
        text(*(f"p_clip {name}, {name}, 24" for name in ALL_SUMS))
        text(f"bltz {SELECT}, {self.label('columns')}")
        for row in SUMS:
            self._bytes(row, row[0])
        text(f"{self.label('words')}:")
        text(*(f"p_sw_step {row[0]}, {OUTPUT}, 4" for row in SUMS[:-1]))
        text(f"{self.label('block_end')}:", f"p_sw_step {SUMS[3][0]}, {OUTPUT}, 4")
        self.load(back="ra")
        text("ret")

    def _bytes(self, group: tuple[str, ...], to: str) -> None:
        """The third bytes of four registers in one word."""
        self.text(f"pv_shuffle2_b {group[0]}, {group[1]}, {SELECT}")
        self.text(f"pv_shuffle2_b {group[2]}, {group[3]}, {SELECT}")
        self.text(f"pv_pack_h {to}, {group[2]}, {group[0]}")

    def _columns(self) -> None:
        """The other order of the bytes, into the registers that the rows' words would be in."""
        self.text(f"{self.label('columns')}:")
        for column, words in enumerate(zip(*SUMS, strict=True)):
            self._bytes(words, SUMS[column][0])
        self.text(f"j {self.label('words')}")

    def _mix(self) -> None:
        """The map, uint8, by one word of each column, without bias."""
        text = self.text
        text(f"{self.label('mix')}:")
        self.store(back="ra")
        text.loop_address("start", 1, self.label("mix_block"))
        text(f"lp_count 1, {B[0]}", f"{self.label('mix_block')}:")
        text(*(f"p_lw_step {b}, {RIGHT}, 4" for b in B))
        for left, sums in zip(MAP, SUMS, strict=True):
            text(*(f"pv_dotusp_b {to}, {left}, {b}" for to, b in zip(sums, B, strict=True)))
        text(f"j {self.label('sums')}")


def module() -> str:
    """The whole file."""
    text = Text()
    for fused in (False, True):
        Four(text, fused).write()
    return text.file("xpulp_four")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
