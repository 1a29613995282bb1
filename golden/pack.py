# SPDX-License-Identifier: Apache-2.0
"""Command line: python -m golden.pack INPUTS.bin OUT.bin operand=packer ...

Rewrites the named operands of every case in the layout of golden/packers/<packer>.py. Exit status
2: bad input.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from touchstone.vectors import (
    Case,
    Container,
    ContainerError,
    Operand,
    read_container,
    write_container,
)


def load_packer(name: str) -> Any:
    """The module of a packer."""
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(f"there is no packer named {name}")
    try:
        return importlib.import_module(f"golden.packers.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"golden.packers.{name}":
            raise
        raise ValueError(f"there is no packer named {name}") from None


def _pack_operand(operand: Operand, packer: Any) -> Operand:
    dtype = np.dtype(operand.type).newbyteorder("<")
    array = np.frombuffer(operand.data, dtype).reshape(operand.shape)
    packed = np.ascontiguousarray(packer.pack(array))
    shape = packer.packed_shape(operand.shape)
    if packed.shape != shape:
        raise ValueError(f"operand {operand.name}: packed to {packed.shape}, not to {shape}")
    if packed.dtype.name != getattr(packer, "PACKED_TYPE", operand.type):
        raise ValueError(f"operand {operand.name}: packed to {packed.dtype.name}")
    data = packed.astype(packed.dtype.newbyteorder("<")).tobytes()
    return Operand(operand.name, packed.dtype.name, shape, data)


def _pack_case(case: Case, packers: Mapping[str, Any]) -> Case:
    for name in packers:
        case.operand(name)  # refuses a name that the case does not have
    operands = tuple(
        _pack_operand(operand, packers[operand.name]) if operand.name in packers else operand
        for operand in case.operands
    )
    return replace(case, operands=operands)


def pack_container(container: Container, layout: Mapping[str, str]) -> Container:
    """`container` with the operands of `layout` (operand -> packer name) packed."""
    packers = {name: load_packer(packer) for name, packer in layout.items()}
    return replace(container, cases=tuple(_pack_case(case, packers) for case in container.cases))


def main(arguments: list[str]) -> int:
    """Exit status."""
    pairs = [argument.partition("=") for argument in arguments[2:]]
    if not pairs or not all(name and packer for name, _, packer in pairs):
        print("usage: python -m golden.pack INPUTS.bin OUT.bin operand=packer ...", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], "rb") as file:
            container = read_container(file.read())
        packed = pack_container(container, {name: packer for name, _, packer in pairs})
        data = write_container(packed)
    except (OSError, ContainerError, ValueError) as error:
        print(f"golden.pack: {error}", file=sys.stderr)
        return 2
    temporary = f"{arguments[1]}.tmp"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, arguments[1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
