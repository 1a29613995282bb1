# SPDX-License-Identifier: Apache-2.0
"""What the parts of the generator of block products share: the words of a call, and a function
while it is written, with its registers. See xpulp_product.py."""

from __future__ import annotations

from dataclasses import dataclass

from kernels.generators.assembly import Text

# The words of ts_xp_call, in order.
FIELDS = (
    *("left", "left_row", "right", "right_skip", "bias"),
    *("output", "output_row", "output_block", "output_tile", "steps", "blocks", "tiles", "kind"),
    *("factor", "select", "rounding", "shift", "factors", "factors_step", "path"),
    *(
        "left_now",
        "output_now",
        "output_turn",
        "tiles_left",
        "factors_now",
        "start",
        "entry",
        "calls",
        "caller",
    ),
)
OFFSET = {name: 4 * index for index, name in enumerate(FIELDS)}
# Kept for the caller. gp and tp too: a program may use them.
SAVED = ("ra", "gp", "tp", *(f"s{i}" for i in range(12)))
FRAME = 64
CALL_BYTES = 4 * len(FIELDS)
REGISTERS = (
    *("s0", "s1", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "ra", "gp", "tp"),
    *("t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0"),
    *(f"s{i}" for i in range(2, 12)),
)
COLUMNS = 4
FINISHES = ("fast", "general", "sum")


@dataclass
class Function:
    """One function while it is written: its name, and who has which register.

    `only`: the one kind, "s" or "u" from 0, of a function that has no other. `adds`: the kinds
    include adding to accumulators in memory. A register that does not fit is None; its value is
    reloaded for each block.
    """

    text: Text
    finish: str
    rows: int
    columns: int = COLUMNS
    only: str = ""
    adds: bool = False

    def __post_init__(self) -> None:
        """The sums first, then what the innermost loop needs, then what still fits."""
        taken = iter([*REGISTERS, *[None] * 4])
        self.sums = [[str(next(taken)) for _ in range(self.columns)] for _ in range(self.rows)]
        self.a = [str(next(taken)) for _ in range(2)]
        self.b = [str(next(taken)) for _ in range(4)]
        self.left, self.right, self.row, self.turn = (str(next(taken)) for _ in range(4))
        # What a block starts with: its bias, or the number of steps left after the first.
        self.start = next(taken)
        self.output, self.factor, self.select = next(taken), next(taken), next(taken)

    @property
    def name(self) -> str:
        """The function's name."""
        if self.adds:
            return f"ts_xp_tile{self.rows}"
        narrow = "" if self.columns == COLUMNS else "x1"
        return f"ts_xp_{self.finish}{self.rows}{narrow}{self.only}"

    @property
    def all_sums(self) -> list[str]:
        """The sums, row by row."""
        return [name for row in self.sums for name in row]

    def label(self, name: str) -> str:
        """A label of this function."""
        return f".L{self.name}_{name}"

    def load(self, register: str | None, name: str) -> None:
        """A word of the call."""
        self.text(f"lw {register}, {OFFSET[name]}(sp)")

    def store(self, register: str | None, name: str) -> None:
        """A word of the call."""
        self.text(f"sw {register}, {OFFSET[name]}(sp)")
