# SPDX-License-Identifier: Apache-2.0
"""Softmax to rows of their exact size: python -m kernels.generators.xpulp_softmax_exact OUT.S

    void ts_xp_softmax_exact(const int8_t *input, uint8_t *output, uint32_t n, uint32_t rows,
                             const uint32_t *pairs, uint32_t *buffer)

(kernels/include/ts_xpulp_softmax.h). What xpulp_softmax.py does from rows of words; the output's
rows follow each other wherever they end.
"""

from __future__ import annotations

import sys

from kernels.generators.assembly import Text, write
from kernels.generators.xpulp_softmax import write_function

NAME = "ts_xp_softmax_exact"


def module() -> str:
    """The whole file."""
    text = Text()
    write_function(text, NAME, exact=True)
    return text.file("xpulp_softmax_exact")


if __name__ == "__main__":
    sys.exit(write(sys.argv[1:], module))
