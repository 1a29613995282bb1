# SPDX-License-Identifier: Apache-2.0
"""The attention of xpulp_few.py: scores of all of a core's heads, then their softmax, then their
context, all between panels, but for the context, whose rows get exactly their channels.

Scores of a row are a word; of two rows both are in one. In the last byte of a row of three is the
third score once more, which changes no maximum; its distance becomes 31, whose entry is 0.
"""

from __future__ import annotations

from kernels.generators.xpulp_few_product import (
    BIAS,
    FACTOR,
    LEFT,
    OUTPUT,
    RIGHT,
    ROW,
    SELECT,
    SUMS,
    THIRD_BYTES,
    TURN,
    A,
    B,
    Product,
)

# Where the map of a head is while its context is made: the product's left operands are elsewhere.
MAP = ("a6", "a7", "t2", "t3")


class Attention(Product):
    """The stages between the first and the last product."""

    def _attend(self) -> None:
        """This core's heads."""
        text, rows = self.text, self.rows
        self.load(from_="s6", to="s7", heads="t0", head_blocks=ROW, channels="t3", values="a3")
        self.share("t0", "t1", "t4")
        text(f"beqz t4, {self.label('attended')}", f"mul t2, t1, {ROW}")
        self.load(panels=LEFT, keys=RIGHT, map=OUTPUT, context="t0", factor3=FACTOR)
        text(f"li a6, {self.panel_bytes}", f"p_mac {LEFT}, t2, a6", f"p_mac {RIGHT}, t2, a6")
        text("slli t2, t2, 4", "add a3, a3, t2")
        text(f"li a6, {self.map_bytes}", f"p_mac {OUTPUT}, t1, a6", "p_mac t0, t1, t3")
        self.store(values="a3", own_map=OUTPUT, context_at="t0", heads_left="t4")
        text(f"li {SELECT}, {THIRD_BYTES}", f"mv {B[0]}, t4")
        if rows == 2:
            self._scores()
        else:
            text(f"li {TURN}, {self.panel_turn}", "li t1, 4")
            self.put(steps=ROW, out_row="t1", out_turn="t1")
            text(f"li {ROW}, 4", f"jal {self.label('scores')}")
        self._softmax()
        self._context()
        text(f"{self.label('attended')}:")

    def _scores(self) -> None:
        """Of two rows. B[0]: heads, ROW: blocks of a head."""
        text, sums = self.text, SUMS[:4]
        self.setup_blocks(B[0], "scores_end")
        text(*(f"li {name}, 0" for name in sums))
        text.loop(ROW, self.label("dots_end"))
        text(*(f"p_lw_step {to}, {RIGHT}, 4" for to in B[:2]))
        text(*(f"p_lw_step {to}, {LEFT}, 4" for to in A))
        text(f"pv_sdotsp_b {sums[0]}, {A[0]}, {B[0]}", f"pv_sdotsp_b {sums[1]}, {A[0]}, {B[1]}")
        text(f"pv_sdotsp_b {sums[2]}, {A[1]}, {B[0]}", f"{self.label('dots_end')}:")
        text(f"pv_sdotsp_b {sums[3]}, {A[1]}, {B[1]}")
        text(*(f"p_mac {name}, {name}, {FACTOR}" for name in sums))
        text(*(f"p_clip {name}, {name}, 24" for name in sums))
        self.bytes(sums, sums[0])
        text(f"{self.label('scores_end')}:", f"p_sw_step {sums[0]}, {OUTPUT}, 4")

    def _softmax(self) -> None:
        """In place, a word at a time."""
        text, rows, at = self.text, self.rows, OUTPUT
        low, high, ones, numerator, pairs = *B, "a6"
        word, most, a, b, a_high, b_high, total, other, far = SUMS[:9]
        self.load(pairs=pairs, own_map=at, heads_left="a0")
        text(f"li {low}, 0x8004", f"slli {high}, {low}, 16", f"li {ones}, 0x01000100")
        text(f"lui {numerator}, 0xff000")
        if rows == 2:
            text(f"li {far}, 0x02030001")
        elif rows == 3:
            text(f"lui {far}, 0x1f000", "slli a7, a0, 1", "add a0, a0, a7")
        else:
            text("slli a0, a0, 2")
        text(f"lw {word}, 0({at})")
        text.loop("a0", self.label("softmax_end"))
        if rows == 2:
            text(f"pv_shuffle_b {most}, {word}, {far}", f"pv_max_b {most}, {most}, {word}")
        else:
            if rows == 3:
                text(f"pv_shuffleI2_sci_b {word}, {word}, 0x24")
            text(f"srli {most}, {word}, 16", f"pv_max_b {most}, {most}, {word}")
            text(f"srli {total}, {most}, 8", f"pv_max_b {most}, {most}, {total}")
            text(f"pv_shuffleI0_sci_b {most}, {most}, 0")
        text(f"pv_sub_b {word}, {most}, {word}")
        if rows == 3:
            text(f"or {word}, {word}, {far}")
        text(f"pv_minu_sci_b {word}, {word}, 31")
        text(f"pv_dotup_b {a}, {word}, {low}", f"pv_dotup_b {b}, {word}, {high}")
        text(f"p_lw_at {a}, {pairs}, {a}", f"p_lw_at {b}, {pairs}, {b}", f"lw {word}, 4({at})")
        text(f"pv_dotup_h {total}, {a}, {ones}")
        shares = (total, total)
        if rows == 2:
            shares = (total, other)
            text(f"pv_dotup_h {other}, {b}, {ones}", f"divu {other}, {numerator}, {other}")
        else:
            text(f"pv_sdotup_h {total}, {b}, {ones}")
        text(f"divu {total}, {numerator}, {total}")
        text(f"srli {a_high}, {a}, 16", f"srli {b_high}, {b}, 16")
        text(f"p_exthz {a}, {a}", f"p_exthz {b}, {b}")
        for group, by in (((a, a_high), shares[0]), ((b, b_high), shares[1])):
            text(*(f"p_mac {name}, {name}, {by}" for name in group))
        text(f"pv_shuffle2_b {a}, {a_high}, {SELECT}", f"pv_shuffle2_b {b}, {b_high}, {SELECT}")
        text(f"pv_pack_h {a}, {b}, {a}")
        text(f"{self.label('softmax_end')}:", f"p_sw_step {a}, {at}, 4")

    def _context(self) -> None:
        """A head's map stays in registers. LEFT: the maps, BIAS: heads to go, TURN: context."""
        text, rows = self.text, self.rows
        self.load(values=RIGHT, own_map=LEFT, heads_left=BIAS, context_at=TURN)
        self.load(factor4=FACTOR, width=ROW, tail="t1")
        text("li t2, 4", f"li t3, {rows - 1}", f"p_msu t2, {ROW}, t3")
        self.put(out_row=ROW, out_turn="t2")
        self.set_next("next", "mix")
        text(f"{self.label('mix')}:")
        self.load(channels=B[0])
        if rows == 2:
            text(f"p_lw_step {MAP[1]}, {LEFT}, 4", f"srli {B[0]}, {B[0]}, 2")
            text(f"p_exthz {MAP[0]}, {MAP[1]}", f"srli {MAP[1]}, {MAP[1]}, 16")
        else:
            text(*(f"p_lw_step {name}, {LEFT}, 4" for name in MAP[:rows]))
            text(f"srli {B[0]}, {B[0]}, 2")
        text(f"mv {OUTPUT}, {TURN}", f"bnez {B[0]}, {self.label('mix_blocks')}")
        self.load(back=B[0])
        text(f"jr {B[0]}", f"{self.label('mix_blocks')}:")
        self.setup_blocks(B[0], "block_end")
        self._mix(4)
        text(f"j {self.label('sums')}", f"{self.label('next')}:")
        self.load(channels="t4")
        text(f"addi {BIAS}, {BIAS}, -1", f"add {TURN}, {TURN}, t4")
        text(f"bnez {BIAS}, {self.label('mix')}", f"j {self.label('attended')}")
        for columns in (1, 2, 3):
            text(f"{self.label(f'mix{columns}')}:")
            self._mix(columns)
            self._finish(columns)
            for row in self.sums:
                self.part(row[:columns])
            self.tail(columns)
            text(f"j {self.label('next')}")

    def _mix(self, columns: int) -> None:
        """Sums of a block of context."""
        text, b = self.text, ("t0", "t1")
        steps = [4] * (columns - 1) + [20 - 4 * columns]
        loads = [f"p_lw_step {b[i % 2]}, {RIGHT}, {step}" for i, step in enumerate(steps)]
        text(*loads[:2])
        for column in range(columns):
            pairs = zip(self.sums, MAP, strict=False)
            text(*(f"pv_dotusp_b {sums[column]}, {a}, {b[column % 2]}" for sums, a in pairs))
            text(*loads[column + 2 : column + 3])
