# SPDX-License-Identifier: Apache-2.0
"""Somebody's own vectors: arrays of a .npz file in place of a case's parameters and operands."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from golden.case import Array, GoldenError, Operands, Params

CLASS = "inputs"


def read_arrays(path: str) -> Operands:
    """The arrays of a file; nothing in it is ever run."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError) as error:
        raise GoldenError(f"inputs: {error}") from None


def replace(
    own: Operands, params: Params, operands: Operands, outputs: Collection[str]
) -> tuple[Params, Operands]:
    """`params` and `operands` with those of `own`; `outputs` may be in it besides."""
    params, operands = dict(params), dict(operands)
    for name, array in own.items():
        if name in operands:
            operands[name] = _same_kind(name, array, operands[name])
        elif name in params:
            if array.size != 1:
                raise GoldenError(f"inputs: {name}: found {array.size} numbers, allowed one")
            params[name] = int(array.reshape(-1)[0])
        elif name not in outputs:
            known = ", ".join(sorted([*operands, *params, *outputs]))
            raise GoldenError(f"inputs: found {name!r}, allowed {known}")
    return params, operands


def expected(own: Operands, outputs: Operands) -> Operands:
    """`outputs` with those that `own` says are right."""
    return {
        name: _same_kind(name, own[name], array) if name in own else array
        for name, array in outputs.items()
    }


def _same_kind(name: str, array: Array, like: Array) -> Array:
    if array.dtype.newbyteorder("=") != like.dtype or array.shape != like.shape:
        found, wanted = f"{array.dtype} {array.shape}", f"{like.dtype} {like.shape}"
        raise GoldenError(f"inputs: {name}: found {found}, allowed {wanted}")
    return array.astype(like.dtype)
