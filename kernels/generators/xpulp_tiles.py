# SPDX-License-Identifier: Apache-2.0
"""The attention of an XpulpV2 layer of 5 to 16 rows by blocks of 4 rows, a part of xpulp_padded.py,
for heads of at least four channels. xpulp_attention.py does the same row by row, and says what the
operands look like and why the softmax is exact.

Three stages, each of which the cores share out evenly and end with a barrier: scores by blocks of
4 rows and 4 keys, in the order (head, tile of rows, tile of keys); softmax by rows, in place;
context by blocks of 4 rows and 4 channels. Maps are panels, [head][tile of rows][tile of keys][4
rows][4 keys]. A stage's loop fits into a core's own instruction cache. The last block of a head's
channels begins four before their end, so that it may compute some again: nothing but a row's own
channels is written. Rows that there are not have no softmax; what becomes of them goes to rows of
the context that nobody reads.
"""

from __future__ import annotations

from kernels.generators import xpulp_attention as attention
from kernels.generators.assembly import Text

ALL_SUMS = ("t3", "t4", "t5", "t6", "ra", "gp", "tp", *(f"s{i}" for i in range(2, 11)))
SUMS = tuple(ALL_SUMS[4 * row : 4 * row + 4] for row in range(4))
A, B = ("a6", "a7"), ("a2", "a3", "a4", "a5")
LEFT, RIGHT = "a0", "a1"
# Scores and context: where the next word goes, the factor less one, and pv.shuffle2.b's third bytes
# of two registers, with context negative.
PLACE, SCALE, SELECT = "s0", "s11", "s1"
# Scores.
QUERY, KEY, COUNT = "t0", "t1", "t2"
# Softmax.
WORDS = ("a0", "a1", "a2", "a3")
PAIRS_OF = ("t3", "t4", "t5", "t6", "ra", "gp", "tp", "s2")
MOST, TOTAL, KEEP, LEAST, FAR, LOW, HIGH, PAIRS, OVER, THIRD = (
    *("a4", "a5", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10"),
)
ROWS, ROW, HEAD, ALL_ROWS = "t0", "t1", "t2", "s11"
# Context; the words of the map, row by row, with two tiles of keys.
VALUES, MAP = "a0", "a1"
NARROW_MAP = ("a4", "a5", "a6", "a7", "t0", "t1", "t2", "a1")
# Where a share begins: its first piece, how many, and what follows from it.
FIRST, PIECES, UNIT, PART, HEAD_OF, TILE = "gp", "tp", "t3", "t4", "t5", "t6"
FIELDS = (
    *("heads", "all_rows", "channels", "blocks", "steps", "again", "panel", "width", "turn"),
    *("queries", "keys", "values", "context", "maps", "scores", "mix", "pairs"),
    *("left", "tiles_left", "head", "place", "last", "in_head", "kind", "weights", "bias", "out"),
    *("out_step", "narrow", "all_blocks", "of_head", "of_kind", "offset", "pieces"),
)
RECIPROCALS = {3: 21846}  # for numbers below 32768


class Tiles:
    """The stages while they are written; `at`: from sp to FIELDS."""

    def __init__(self, text: Text, tiles: int, at: int) -> None:
        self.text, self.tiles, self.at = text, tiles, at

    def label(self, name: str) -> str:
        """A label of this function."""
        return f".Ltiles_{name}{self.tiles}"

    def load(self, **words: str) -> None:
        """Words into registers."""
        self.text(*(f"lw {to}, {self.offset(name)}(sp)" for name, to in words.items()))

    def store(self, **words: str) -> None:
        """Registers into words."""
        self.text(*(f"sw {of}, {self.offset(name)}(sp)" for name, of in words.items()))

    def offset(self, name: str) -> int:
        """From sp to a word."""
        return self.at + 4 * FIELDS.index(name)

    def divide(self, to: str, of: str, rest: str) -> None:
        """By the tiles."""
        text, tiles = self.text, self.tiles
        text(f"li {rest}, {RECIPROCALS.get(tiles, 65536 // tiles)}", f"mul {to}, {of}, {rest}")
        text(f"srli {to}, {to}, 16", f"li a0, {tiles}", f"mv {rest}, {of}")
        text(f"p_msu {rest}, {to}, a0")

    def divide_by(self, to: str, of: str, by: str, rest: str) -> None:
        """By a register of 16 bits; the division is shorter the longer its operands are. Takes a0
        and a1."""
        text = self.text
        text(f"slli a0, {of}, 16", f"slli a1, {by}, 16", f"divu {to}, a0, a1")
        text(f"mv {rest}, {of}", f"p_msu {rest}, {to}, {by}")

    def write_end(self) -> None:
        """Where blocks end, of scores as of context; who sets it has to lie ahead."""
        self.text.loop_address("end", 1, self.label("block_end"))

    def write_scores(self) -> None:
        """This core's blocks, PIECES from FIRST on, at least one."""
        text, tiles = self.text, self.tiles
        text(f"slli {PLACE}, {FIRST}, 4")
        self.divide(UNIT, FIRST, PART)
        self.divide(HEAD_OF, UNIT, TILE)
        self.load(queries=QUERY, keys=KEY, panel="a1", maps="a2", steps=COUNT, scores=SCALE)
        text(f"add {PLACE}, {PLACE}, a2", f"p_mac {QUERY}, {HEAD_OF}, a1")
        text(f"p_mac {KEY}, {HEAD_OF}, a1", f"slli a1, {TILE}, 4", f"add {QUERY}, {QUERY}, a1")
        text(f"sub {TILE}, a0, {TILE}", f"sub a0, a0, {PART}", f"slli {PART}, {PART}, 4")
        self.store(left=PIECES, tiles_left=TILE, head=KEY)
        text(f"add {KEY}, {KEY}, {PART}", f"li {SELECT}, 0x602")
        text.loop_address("start", 1, self.label("key"))
        text(f"{self.label('keys')}:")
        self.load(left="a1")
        text("p_minu a0, a0, a1", "sub a1, a1, a0", "lp_count 1, a0")
        self.store(left="a1")
        text(f"{self.label('key')}:", f"mv {LEFT}, {QUERY}", f"mv {RIGHT}, {KEY}")
        self._step("pv_dotsp_b")
        text(f"beqz {COUNT}, {self.label('scored')}")
        text.loop(COUNT, self.label("step_end"))
        self._step("pv_sdotsp_b", self.label("step_end"))
        text(f"{self.label('scored')}:", f"addi {KEY}, {KEY}, 16", f"li {B[0]}, 4", f"li {B[1]}, 4")
        self._finish()
        text(f"bltz {SELECT}, {self.label('next_blocks')}")
        self.load(left="a1", tiles_left="a2", head=KEY)
        text(f"beqz a1, {self.label('all_scored')}", f"addi {QUERY}, {QUERY}, 16")
        text(f"li a0, {tiles}", "addi a2, a2, -1", f"bnez a2, {self.label('same_keys')}")
        self.load(panel="a3")
        text(f"add {KEY}, {KEY}, a3", f"add {QUERY}, {QUERY}, a3")
        text(f"addi {QUERY}, {QUERY}, -{16 * tiles}", "mv a2, a0")
        self.store(head=KEY)
        text(f"{self.label('same_keys')}:")
        self.store(tiles_left="a2")
        text(f"j {self.label('keys')}", f"{self.label('all_scored')}:")

    def _step(self, product: str, end: str = "") -> None:
        """Four channels of four rows and four keys."""
        text, back = self.text, 16 * self.tiles - 12
        text(f"p_lw_step {B[0]}, {RIGHT}, 4", f"p_lw_step {A[0]}, {LEFT}, 4")
        text(*(f"p_lw_step {b}, {RIGHT}, 4" for b in B[1:3]))
        text(f"p_lw_step {B[3]}, {RIGHT}, {back}")
        for row, sums in enumerate(SUMS):
            for column, total in enumerate(sums):
                if column == 3 and row < 3:
                    step = back if row == 2 else 4
                    text(f"p_lw_step {A[(row + 1) % 2]}, {LEFT}, {step}")
                if end and column == row == 3:
                    text(f"{end}:")
                text(f"{product} {total}, {A[row % 2]}, {B[column]}")

    def _finish(self) -> None:
        """Sums to a word of each row and to memory, behind scores as behind context: code that is
        there once. B: from row to row and from the last one to the next block."""
        text = self.text
        text(f"{self.label('sums')}:", *(f"p_mac {name}, {name}, {SCALE}" for name in ALL_SUMS))
        text(*(f"p_clip {name}, {name}, 24" for name in ALL_SUMS))
        for row in SUMS:
            attention.gather(text, row, row[0], SELECT)
        text(*(f"p_sw_post {row[0]}, {PLACE}, {B[0]}" for row in SUMS[:3]))
        text(f"{self.label('block_end')}:", f"p_sw_post {SUMS[3][0]}, {PLACE}, {B[1]}")

    def write_softmax(self) -> None:
        """This core's rows, PIECES from FIRST on, at least one."""
        text, tiles = self.text, self.tiles
        self.load(all_rows=ALL_ROWS, maps=HEAD, pairs=PAIRS)
        self.divide_by(UNIT, FIRST, ALL_ROWS, ROW)
        text(f"mv {ROWS}, {PIECES}", f"li a0, {16 * tiles * tiles}", f"p_mac {HEAD}, {UNIT}, a0")
        text(f"srli {PLACE}, {ROW}, 2", f"li a0, {16 * tiles}", f"mul {PLACE}, {PLACE}, a0")
        text(f"add {PLACE}, {PLACE}, {HEAD}", f"andi a0, {ROW}, 3", "slli a0, a0, 2")
        text(f"add {PLACE}, {PLACE}, a0", f"slli a0, {ALL_ROWS}, 3", "neg a0, a0")
        # In the lanes beyond the last key: what no maximum is, and a distance whose entry is 0.
        text(f"li {KEEP}, -1", f"srl {KEEP}, {KEEP}, a0", f"not a0, {KEEP}")
        text(f"li {LEAST}, 0x80808080", f"li {FAR}, 0x1f1f1f1f", f"and {LEAST}, {LEAST}, a0")
        text(f"and {FAR}, {FAR}, a0", f"li {LOW}, {4 | 128 << 8:#x}", f"slli {HIGH}, {LOW}, 16")
        text(f"lui {OVER}, 0xff000", f"li {THIRD}, 0x703", f"{self.label('rows')}:")
        # What there is of a tile, at most to the head's last row.
        text(f"andi a0, {ROW}, 3", "li a1, 4", "sub a0, a1, a0", f"sub a1, {ALL_ROWS}, {ROW}")
        text("p_minu a0, a0, a1", f"p_minu a0, a0, {ROWS}", f"sub {ROWS}, {ROWS}, a0")
        text(f"add {ROW}, {ROW}, a0")
        text.loop("a0", self.label("row_end"))
        self._row()
        text(f"beqz {ROWS}, {self.label('rows_done')}", f"addi {PLACE}, {PLACE}, {16 * tiles - 16}")
        text(f"bne {ROW}, {ALL_ROWS}, {self.label('rows')}")
        text(f"addi {HEAD}, {HEAD}, {16 * tiles * tiles}", f"mv {PLACE}, {HEAD}", f"li {ROW}, 0")
        text(f"j {self.label('rows')}", f"{self.label('rows_done')}:")

    def _row(self) -> None:
        text, back, words = self.text, attention.SHORTER[self.tiles], WORDS[: self.tiles]
        pairs, last, (first, third) = PAIRS_OF[: 2 * self.tiles], words[-1], A
        text(*(f"lw {word}, {16 * i}({PLACE})" for i, word in reversed(list(enumerate(words)))))
        text(f"and {MOST}, {last}, {KEEP}", f"or {MOST}, {MOST}, {LEAST}")
        text(*(f"pv_max_b {MOST}, {MOST}, {word}" for word in words[:-1]))
        for shift in (16, 8):
            text(f"srli {TOTAL}, {MOST}, {shift}", f"pv_max_b {MOST}, {MOST}, {TOTAL}")
        text(f"pv_shuffleI0_sci_b {MOST}, {MOST}, 0")
        text(*(f"pv_sub_b {word}, {MOST}, {word}" for word in words), f"or {last}, {last}, {FAR}")
        text(*(f"pv_minu_sci_b {word}, {word}, 31" for word in words))
        for i, word in enumerate(words):
            text(f"pv_dotup_b {pairs[2 * i]}, {word}, {LOW}")
            text(f"pv_dotup_b {pairs[2 * i + 1]}, {word}, {HIGH}")
        text(*(f"p_lw_at {pair}, {PAIRS}, {pair}" for pair in pairs))
        text(f"pv_dotup_sci_h {TOTAL}, {pairs[0]}, 1")
        text(*(f"pv_sdotup_sci_h {TOTAL}, {pair}, 1" for pair in pairs[1:]))
        text(f"slli {TOTAL}, {TOTAL}, {back}", f"divu {MOST}, {OVER}, {TOTAL}")
        text(f"slli {MOST}, {MOST}, {back}", f"addi {MOST}, {MOST}, {(1 << back) - 1}")
        for i, word in reversed(list(enumerate(words))):
            low, high = pairs[2 * i : 2 * i + 2]
            text(f"p_exthz {first}, {low}", f"srli {low}, {low}, 16")
            text(f"p_exthz {third}, {high}", f"srli {high}, {high}, 16")
            group = (first, low, third, high)
            text(*(f"p_mac {name}, {name}, {MOST}" for name in group))
            attention.gather(text, group, word, THIRD)
            text(f"sw {word}, {16 * i}({PLACE})" if i else f"{self.label('row_end')}:")
        text(f"p_sw_step {words[0]}, {PLACE}, 4")

    def write_context(self) -> None:
        """This core's blocks, PIECES from FIRST on, at least one."""
        text, tiles = self.text, self.tiles
        self.load(blocks="a2")
        self.divide_by(UNIT, FIRST, "a2", PART)
        self.divide(HEAD_OF, UNIT, TILE)
        self.load(maps="a1", values="a3", context="a4", channels="a5", panel="a6", width="a7")
        text(f"li a2, {16 * tiles}", f"p_mac a1, {UNIT}, a2", f"p_mac a3, {HEAD_OF}, a6")
        text(f"p_mac a4, {HEAD_OF}, a5", f"slli a2, {TILE}, 2", "p_mac a4, a2, a7")
        text(f"sub {TILE}, a0, {TILE}")
        self.store(place="a1", head="a3", context="a4", left=PIECES, tiles_left=TILE)
        self.load(mix=SCALE)
        text(f"lui {SELECT}, 0x80000", f"addi {SELECT}, {SELECT}, 0x602")
        text.loop_address("start", 1, self.label("block"))
        text(f"mv a6, {PART}", f"{self.label('blocks')}:")
        # a6: the first block. Where these end with a head's last one, and that is not full, it
        # comes by itself.
        self.load(left="a2", blocks="a3", again="a5", head=VALUES, context=PLACE, place=MAP)
        text("sub a3, a3, a6", "p_minu a4, a2, a3", "sub a2, a2, a4")
        text("slli a7, a6, 2", f"add {PLACE}, {PLACE}, a7", f"li a7, {16 * tiles}")
        text(f"p_mac {VALUES}, a6, a7", f"beq a4, a3, {self.label('ends')}", "li a5, 0")
        text(f"{self.label('ends')}:")
        self.store(left="a2", last="a5")
        text(f"beqz a5, {self.label('full')}", "addi a4, a4, -1", f"{self.label('full')}:")
        text("mv a3, a4", "lp_count 1, a4")
        if tiles == 2:
            places = [f"{16 * tile + 4 * row}({MAP})" for row in range(4) for tile in range(2)]
            text(*(f"lw {to}, {at}" for to, at in zip(NARROW_MAP, places, strict=True)))
        text(f"beqz a3, {self.label('rest')}", f"{self.label('block')}:")
        self._mix(4)
        self.load(width=B[0], turn=B[1])
        text(f"j {self.label('sums')}", f"{self.label('next_blocks')}:")
        self._rest()
        self._next_blocks()

    def _mix(self, columns: int) -> None:
        """Sums of so many columns, from the map and the values behind VALUES."""
        if self.tiles == 2:
            self._narrow_step(columns)
        else:
            self._wide_steps(columns)

    def _rest(self) -> None:
        """The last channels of a head: three, one more than there is; or one or two."""
        text, tiles, rest = self.text, self.tiles, B[0]
        text(f"{self.label('rest')}:")
        self.load(last=rest)
        text(f"beqz {rest}, {self.label('whole')}", f"addi {rest}, {rest}, -2")
        text(f"bgtz {rest}, {self.label('one')}", f"beqz {rest}, {self.label('two')}")
        text(f"addi {PLACE}, {PLACE}, -1", f"addi {VALUES}, {VALUES}, -{4 * tiles}")
        self.store(last="zero")
        text("lp_counti 1, 1", f"j {self.label('block')}")
        for columns, name, stored in ((1, "one", "sb"), (2, "two", "sh")):
            text(f"{self.label(name)}:")
            self._mix(columns)
            scale(text, columns, SCALE, SELECT)
            self.load(width=B[0])
            text(*(f"p_{stored}_post {row[0]}, {PLACE}, {B[0]}" for row in SUMS))
            if columns == 1:
                text(f"j {self.label('whole')}")

    def _narrow_step(self, columns: int) -> None:
        """Two tiles of keys, column by column."""
        first, second = B[:2]
        load = [f"p_lw_step {to}, {VALUES}, 4" for to in (first, second)]
        self.text(*load)
        for column in range(columns):
            rows = [(row[column], NARROW_MAP[2 * i : 2 * i + 2]) for i, row in enumerate(SUMS)]
            more = column < columns - 1
            self.text(*(f"pv_dotusp_b {total}, {of[0]}, {first}" for total, of in rows))
            self.text(*load[: int(more)])
            self.text(*(f"pv_sdotusp_b {total}, {of[1]}, {second}" for total, of in rows))
            self.text(*load[1 : 1 + int(more)])

    def _wide_steps(self, columns: int) -> None:
        """Tile by tile of keys, in a loop: the code would not fit into a core's cache otherwise."""
        text, tiles = self.text, self.tiles
        lefts = A if columns == 4 else (*A, *B[2:])
        text(*(f"li {total}, 0" for row in SUMS for total in row[:columns]))
        strides = [4 * tiles] * (columns - 1) + [4 - 4 * tiles * (columns - 1)]
        load = [f"p_lw_step {b}, {VALUES}, {by}" for b, by in zip(B, strides, strict=False)]
        left = [f"p_lw_step {lefts[row % len(lefts)]}, {MAP}, 4" for row in range(4)]
        body = [load[0], left[0], *load[1:], *(left[1:] if columns < 4 else [])]
        for row, sums in enumerate(SUMS):
            word = lefts[row % len(lefts)]
            body += [f"pv_sdotusp_b {sums[i]}, {word}, {B[i]}" for i in range(columns)]
            if columns == 4 and row < 3:  # ahead of the last product
                body.insert(-1, left[row + 1])
        text(f"li {B[0]}, {tiles}")
        text.loop(B[0], self.label(f"tile_end{columns}"))
        text(*body[:-1], f"{self.label(f'tile_end{columns}')}:", body[-1])
        if columns == 4:
            text(f"addi {MAP}, {MAP}, -{16 * tiles}", f"addi {VALUES}, {VALUES}, {12 * tiles}")

    def _next_blocks(self) -> None:
        """The next tile of rows."""
        text, tiles = self.text, self.tiles
        text(f"{self.label('whole')}:")
        self.load(left="a0", tiles_left="a1", place="a2", context="a3", width="a4")
        text(f"beqz a0, {self.label('mixed')}", f"addi a2, a2, {16 * tiles}", "slli a5, a4, 2")
        text("add a3, a3, a5", "addi a1, a1, -1", f"bnez a1, {self.label('same_head')}")
        self.load(head="a0", panel="a1", channels="a5")
        text("add a0, a0, a1", "add a3, a3, a5", f"li a1, {4 * tiles}", "p_msu a3, a4, a1")
        text(f"li a1, {tiles}")
        self.store(head="a0")
        text(f"{self.label('same_head')}:")
        self.store(tiles_left="a1", place="a2", context="a3")
        text("li a6, 0", f"j {self.label('blocks')}", f"{self.label('mixed')}:")


def scale(text: Text, columns: int, factor: str, select: str) -> None:
    """Sums of one or two columns to bytes or half-words in their rows' first registers, zeros
    behind a byte."""
    sums = [total for row in SUMS for total in row[:columns]]
    text(*(f"p_mac {name}, {name}, {factor}" for name in sums))
    text(*(f"p_clip {name}, {name}, 24" for name in sums))
    if columns == 1:
        text(*(f"pv_extractu_b {name}, {name}, 2" for name in sums))
    else:
        text(*(f"pv_shuffle2_b {row[0]}, {row[1]}, {select}" for row in SUMS))
