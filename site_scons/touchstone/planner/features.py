# SPDX-License-Identifier: Apache-2.0
"""What a cost model knows of a cell: counts of work on the busiest core.

For attention (mhsa, mhsa_fwsa and their depth-first kernels), with t rows a tile, g heads at once,
c cores and n passes over keys and values (schedule.passes):

  macs       n * (keys and values) / c + share * (queries, scores, context, output projection)
  softmax    share * H*S*S elements
  outputs    requantised values, shared as their MACs are
  tiles      share * H * ceil(S/t): what a tile costs however small
  rounds     n * ceil(H/g): barriers, calls
  1          what every call costs

`share` is the busiest core's part of the units of work: tiles of one head group where the context
is kept (heads and rows are shared out), tiles of rows elsewhere. Other kernels: MACs / c, elements
/ c and 1.
"""

from __future__ import annotations

from touchstone.cells import Cell
from touchstone.sizes import needs_of

ATTENTION = ("mhsa", "mhsa_fwsa")
_OWN_TILE = 4


def features(cell: Cell) -> tuple[float, ...]:
    """The counts, in the order of the module's docstring; the constant is last."""
    if cell.kernel.golden in ATTENTION:
        return _attention(cell)
    needs = needs_of(cell)
    return (needs.macs / cell.cores, needs.elements / cell.cores, 1.0)


def _attention(cell: Cell) -> tuple[float, ...]:
    shape, schedule, cores = cell.shape, cell.schedule, cell.cores
    s, e, p, h = shape.S, shape.E, shape.P, shape.H
    fused = cell.kernel.golden == "mhsa_fwsa"
    width = e if fused else p
    tiles = -(-s // (schedule.tile or _OWN_TILE))
    group = min(h, schedule.heads or -(-cores // tiles))
    units = tiles if schedule.order in ("accumulate", "recompute") else group * tiles
    share = -(-units // cores) / units
    passes = schedule.passes(s, cores)
    projected = passes * (1 if fused else 2) * h * s * p
    macs = projected * e / cores
    macs += share * h * s * (e * width + s * width + s * p + e * p)
    outputs = projected / cores + share * (h * s * (width + s + p) + s * e)
    rounds = passes * -(-h // group)
    return (macs, share * h * s * s, outputs, share * h * tiles, float(rounds), 1.0)
