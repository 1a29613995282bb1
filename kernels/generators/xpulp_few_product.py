# SPDX-License-Identifier: Apache-2.0
"""The block product of xpulp_few.py, the words its stages share, and the ends of rows.

A product is of 2 to 4 rows by blocks of 4 columns, or by a block of the 1 to 3 that are left. Its
sums start at the biases. What it writes are a word for each row, any distance apart, or for values
four words for the columns.
"""

from __future__ import annotations

from kernels.generators.assembly import Text

FACTORS = ("q", "k", "v", "scores", "context", "output")
SAVED = ("ra", *(f"s{i}" for i in range(12)), "gp", "tp")
# Short instructions can name the first ones.
TURN, FACTOR, RIGHT, BIAS, LEFT, OUTPUT = (f"a{i}" for i in range(6))
ROW, SELECT = "s0", "s1"
A = ("a6", "a7")
B = ("t0", "t1", "t2", "t3")
SUMS = (
    "t4",
    "t5",
    "t6",
    "ra",
    *(f"s{i}" for i in range(2, 8)),
    "gp",
    "tp",
    "s8",
    "s9",
    "s10",
    "s11",
)
# Up to three rows leave registers for these.
SPARE = {"out_row": "s8", "out_turn": "s9", "steps": "s10", "left": "s11"}
# For pv.shuffle2.b: the third bytes of two registers. The top bit says that words are columns.
THIRD_BYTES = 0x602
# The first ones are near enough to sp to be reached by two bytes.
FIELDS = (
    *SAVED,
    *("out_row", "out_turn", "steps", "left", "count", "full", "first_full", "tail"),
    *(
        "back",
        "narrow_back",
        "blocks",
        "head_blocks",
        "channels",
        "heads",
        "width",
        "from_",
        "to",
        "team",
    ),
    *("args", "kind", "place", "left_over", "panel", "bias_at"),
    *("panels", "keys", "values", "map", "context", "heads_left", "context_at"),
    *("own_map", *(f"factor{i}" for i in range(len(FACTORS))), "pairs"),
    *("result", *(f"spare{i}" for i in range(4))),
)


class Product:
    """What belongs to the product of so many rows, while it is written."""

    def __init__(self, text: Text, rows: int) -> None:
        self.text, self.rows = text, rows
        self.offset = {name: 4 * i for i, name in enumerate(FIELDS)}
        self.frame = (4 * len(FIELDS) + 15) // 16 * 16
        self.kept = SPARE if rows < 4 else {}
        self.saved = SAVED[:-2] if rows == 2 else SAVED  # gp and tp are not needed
        self.sums = tuple(SUMS[4 * row : 4 * row + 4] for row in range(rows))
        # Of a head: a word for each row, of two rows one word for both.
        self.map_bytes = 4 if rows == 2 else 4 * rows
        # Of a block of queries or keys, which is a block of four rows for the product.
        self.panel_bytes = 8 if rows == 2 else 16
        self.panel_turn = self.panel_bytes + 4 - 4 * rows

    def label(self, name: str) -> str:
        """A label of this code."""
        return f".Lts_xp_few{self.rows}_{name}"

    def load(self, **words: str) -> None:
        """Words at sp into registers."""
        self.text(*(f"lw {register}, {self.offset[name]}(sp)" for name, register in words.items()))

    def store(self, **words: str) -> None:
        """Registers into words at sp."""
        self.text(*(f"sw {register}, {self.offset[name]}(sp)" for name, register in words.items()))

    def put(self, **words: str) -> None:
        """Registers to where the product looks for them."""
        for name, register in words.items():
            if name in self.kept:
                self.text(f"mv {self.kept[name]}, {register}")
            else:
                self.store(**{name: register})

    def get(self, name: str, register: str) -> str:
        """Where a word is, else it is loaded into the register."""
        if name in self.kept:
            return self.kept[name]
        self.load(**{name: register})
        return register

    def share(self, count: str, first: str, some: str, later: bool = False) -> None:
        """This core's part of `count`, with its ends of shares in s6 and s7: no less than those of
        later cores, or no more. Takes s1."""
        if later:  # More than the ends of shares lack, less than the smallest part.
            self.text("lui s1, 1")
        else:
            self.text("lui s1, 16", "addi s1, s1, -1")
        self.text(f"mul {first}, {count}, s6", f"p_adduN {first}, {first}, s1, 16")
        self.text(f"mul {some}, {count}, s7", f"p_adduN {some}, {some}, s1, 16")
        self.text(f"sub {some}, {some}, {first}")

    def setup_blocks(self, count: str, end: str) -> None:
        """Hardware loop 1 from here on."""
        self.text.loop(count, self.label(end), 1)

    def _product(self) -> None:
        """B[0] blocks; RIGHT, BIAS and OUTPUT go on. Scores: no biases, LEFT goes on."""
        text = self.text
        if self.rows > 2:
            text(f"{self.label('scores')}:")
            self.store(back="ra")
            self.setup_blocks(B[0], "block_end")
            text(*(f"li {to}, 0" for to in self.sums[0]), f"j {self.label('spread')}")
        text(f"{self.label('product')}:")
        self.store(back="ra")
        text(f"j {self.label('blocks')}")
        self._heads()
        text(f"{self.label('blocks')}:")
        self.setup_blocks(B[0], "block_end")
        self._begin(4)
        self._step()
        text(f"{self.label('sums')}:")
        self._finish(4)
        self.text(f"bltz {SELECT}, {self.label('columns')}")
        for row in self.sums:
            self.bytes(row, row[0])
        text(f"{self.label('words')}:")
        step, turn = self.get("out_row", B[0]), self.get("out_turn", B[1])
        text(*(f"p_sw_post {row[0]}, {OUTPUT}, {step}" for row in self.sums[:-1]))
        text(f"{self.label('block_end')}:", f"p_sw_post {self.sums[-1][0]}, {OUTPUT}, {turn}")
        self.load(back="ra")
        text("ret")
        self._columns()

    def _heads(self) -> None:
        """Of a kind: `count` blocks, whole ones of the next head first. `back` is what does the one
        that is cut short; in `count` is then what follows it, negative where it is not to do."""
        text = self.text
        text(f"{self.label('next_head')}:")
        self.load(count=B[1], full=B[0])
        text(f"beqz {B[1]}, {self.label('kind')}", f"{self.label('some')}:")
        text(f"p_minu {B[0]}, {B[0]}, {B[1]}", f"sub {B[1]}, {B[1]}, {B[0]}")
        text(f"addi {B[1]}, {B[1]}, -1")
        self.store(count=B[1])
        text(f"bnez {B[0]}, {self.label('blocks')}")
        self.load(back=B[0])
        text(f"jr {B[0]}")

    def _begin(self, columns: int, name: str = "") -> None:
        """A block's sums, left operand and steps."""
        text, first = self.text, self.sums[0][:columns]
        if "left" in self.kept:
            text(f"mv {LEFT}, {self.kept['left']}")
        else:
            self.load(left=LEFT)
        text(*(f"p_lw_step {to}, {BIAS}, 4" for to in first))
        if not name:
            text(f"{self.label('spread')}:")
        steps = self.get("steps", B[0])
        for row in self.sums[1:]:
            text(*(f"mv {to}, {start}" for to, start in zip(row, first, strict=False)))
        text.loop(steps, self.label(name or "step_end"))

    def _step(self) -> None:
        """4 bytes of depth."""
        text, last = self.text, self.rows - 1
        text(f"p_lw_step {B[0]}, {RIGHT}, 4", f"p_lw_post {A[0]}, {LEFT}, {ROW}")
        text(*(f"p_lw_step {b}, {RIGHT}, 4" for b in B[1:]))
        for row, sums in enumerate(self.sums):
            text(*(f"pv_sdotsp_b {sums[i]}, {A[row % 2]}, {B[i]}" for i in range(3)))
            if row < last:
                step = TURN if row + 1 == last else ROW
                text(f"p_lw_post {A[(row + 1) % 2]}, {LEFT}, {step}")
            else:
                text(f"{self.label('step_end')}:")
            text(f"pv_sdotsp_b {sums[3]}, {A[row % 2]}, {B[3]}")

    def _finish(self, columns: int) -> None:
        """Sums to numbers of 24 bits."""
        sums = [name for row in self.sums for name in row[:columns]]
        self.text(*(f"p_mac {name}, {name}, {FACTOR}" for name in sums))
        self.text(*(f"p_clip {name}, {name}, 24" for name in sums))

    def bytes(self, group: tuple[str, ...], to: str) -> None:
        """The third bytes of two to four registers in one word; of three the last one twice."""
        text, first = self.text, group[0]
        text(f"pv_shuffle2_b {first}, {group[1]}, {SELECT}")
        if len(group) > 2:
            text(f"pv_shuffle2_b {group[2]}, {group[-1]}, {SELECT}")
            text(f"pv_pack_h {to}, {group[2]}, {first}")
        elif to != first:
            text(f"mv {to}, {first}")

    def _columns(self) -> None:
        """Four words for the columns; as many as there are rows are left to the product."""
        text, rows = self.text, self.rows
        text(f"{self.label('columns')}:")
        columns = list(zip(*self.sums, strict=True))
        if rows == 2:
            for words in columns[:2]:
                self.bytes(words, words[0])
                text(f"p_sw_step {words[0]}, {OUTPUT}, 4")
            columns = columns[2:]
        elif rows == 3:  # The step behind a block's last word is one word longer.
            self.bytes(columns[3], columns[3][0])
            text(f"sw {columns[3][0]}, 12({OUTPUT})")
        for row, words in zip(self.sums, columns, strict=False):
            self.bytes(words, row[0])
        text(f"j {self.label('words')}")

    def choose(self, tail: str, name: str) -> None:
        """To one of three labels, by 1, 2 or 3; on from here with 0."""
        self.text(*(f"p_beqimm {tail}, {i}, {self.label(f'{name}{i}')}" for i in (1, 2, 3)))

    def set_next(self, none: str, some: str) -> None:
        """What goes on behind a head's whole blocks: `none`, or by its last columns, t1, `some`."""
        text, chosen = self.text, self.label(f"{some}_chosen")
        text(f"lla t0, {self.label(none)}", f"beqz t1, {chosen}")
        for columns in (1, 2, 3):
            text(f"lla t0, {self.label(f'{some}{columns}')}")
            if columns < 3:
                text(f"p_beqimm t1, {columns}, {chosen}")
        text(f"{chosen}:")
        self.store(back="t0")

    def _narrow(self) -> None:
        """B[0] blocks of `tail` columns, beyond which there are zeros, no biases, no words."""
        self.text(f"{self.label('narrow')}:")
        self.load(tail=B[1])
        self.store(narrow_back="ra")
        self.choose(B[1], "narrow")
        for columns in (1, 2, 3):
            self._narrow_blocks(columns)

    def _narrow_blocks(self, columns: int) -> None:
        text, rows = self.text, [row[:columns] for row in self.sums]
        text(f"{self.label(f'part{columns}')}:")
        self.load(count=B[1])
        text(f"bltz {B[1]}, {self.label('kind')}", f"li {B[0]}, 1")
        text(f"{self.label(f'narrow{columns}')}:")
        self.setup_blocks(B[0], f"narrow_end{columns}")
        self._begin(columns, f"narrow_step_end{columns}")
        # No sums of the fourth column: registers for the rows of the left operand.
        left = [row[3] for row in self.sums]
        text(*(f"p_lw_step {b}, {RIGHT}, 4" for b in B[: columns - 1]))
        text(f"p_lw_step {B[columns - 1]}, {RIGHT}, {20 - 4 * columns}")
        steps = [ROW] * (len(left) - 1) + [TURN]
        text(*(f"p_lw_post {a}, {LEFT}, {step}" for a, step in zip(left, steps, strict=True)))
        products = [
            f"pv_sdotsp_b {row[i]}, {a}, {B[i]}"
            for i in range(columns)
            for row, a in zip(rows, left, strict=True)
        ]
        text(*products[:-1], f"{self.label(f'narrow_step_end{columns}')}:", products[-1])
        self._finish(columns)
        text(f"bltz {SELECT}, {self.label(f'narrow_columns{columns}')}")
        for row in rows:
            self.part(row)
        step, turn = self.get("out_row", B[0]), self.get("out_turn", B[1])
        text(*(f"p_sw_post {row[0]}, {OUTPUT}, {step}" for row in rows[:-1]))
        text(f"p_sw_post {rows[-1][0]}, {OUTPUT}, {turn}")
        text(f"{self.label(f'narrow_end{columns}')}:", "nop")
        self.load(narrow_back="ra")
        text("ret", f"{self.label(f'narrow_columns{columns}')}:")
        for i, words in enumerate(zip(*rows, strict=True)):
            self.bytes(words, words[0])
            text(f"p_sw_step {words[0]}, {OUTPUT}, {4 if i + 1 < columns else 20 - 4 * columns}")
        text(f"j {self.label(f'narrow_end{columns}')}")

    def part(self, row: tuple[str, ...]) -> None:
        """The third bytes of one to three registers and zeros, in the first one."""
        text, first = self.text, row[0]
        if len(row) == 1:
            text(f"p_extractu {first}, {first}, 8, 16")
            return
        text(f"pv_shuffle2_b {first}, {row[1]}, {SELECT}")
        if len(row) == 2:
            text(f"p_exthz {first}, {first}")
        else:
            text(f"p_extractu {row[2]}, {row[2]}, 8, 16", f"pv_pack_h {first}, {row[2]}, {first}")

    def tail(self, columns: int) -> None:
        """The last bytes of each row, in the first of the sums; rows are ROW apart."""
        text, words = self.text, [row[0] for row in self.sums]
        if columns < 3:
            store = ("p_sb_post", "p_sh_post")[columns - 1]
            text(*(f"{store} {word}, {OUTPUT}, {ROW}" for word in words))
            return
        for word in words:
            text(f"sh {word}, 0({OUTPUT})", f"srli {word}, {word}, 16")
            text(f"sb {word}, 2({OUTPUT})", f"add {OUTPUT}, {OUTPUT}, {ROW}")
