# SPDX-License-Identifier: Apache-2.0
"""Assembly of block products for one row tile: python -m kernels.generators.xpulp_tile OUT.S

  ts_xp_tileR     what ts_xp_fastR does (xpulp_product.py), and the kind TS_XP_ADD besides: sums
                  start at accumulators in memory and go back there, `right_skip` after each panel

Depth first, a tile goes through four products one after the other: one function for all of them
leaves the instruction cache as it is. TS_XP_BIAS takes several tiles where R is 4.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_block import Function
from kernels.generators.xpulp_product import write_function


def module() -> str:
    """The whole file."""
    text = Text()
    for rows in (5, 4, 1):
        write_function(Function(text, "fast", rows, adds=True))
    return text.file("xpulp_tile")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
