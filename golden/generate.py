# SPDX-License-Identifier: Apache-2.0
"""Command line: python -m golden.generate SPEC.json INPUTS.bin GOLDEN.bin.

SPEC: {"kernel", "shape", "seed", "numerics", "data": "random" | "ecg", "classes": [...]}, and
perhaps "inputs", a .npz file for the timed case. The data of a case depends on kernel, shape, seed,
its own class and, the timed one's, on that file only. Exit status 2: bad input.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from golden import own
from golden.case import Array, GoldenError, Params, Shape
from golden.counter_rng import CounterRng
from golden.presets import Numerics
from golden.value_classes import CLASSES
from touchstone.vectors import Case, Container, Operand, write_container

_FIELDS = {"kernel", "shape", "seed", "numerics", "data", "classes"}


def load_operation(kernel: Any) -> Any:
    """The golden module of a kernel."""
    try:
        if not isinstance(kernel, str) or not re.fullmatch("[a-z][a-z0-9_]*", kernel):
            raise ModuleNotFoundError
        module = importlib.import_module(f"golden.{kernel}")
        if not hasattr(module, "golden"):
            raise ModuleNotFoundError
    except ModuleNotFoundError as error:
        if error.name not in (None, f"golden.{kernel}"):
            raise GoldenError(f"the golden model {kernel} needs the package {error.name}") from None
        raise GoldenError(f"there is no golden model named {kernel}") from None
    return module


def _case_classes(operation: Any, kernel: str, classes: Any, data: Any) -> list[str]:
    """The classes of the cases, the timed one first."""
    if data not in getattr(operation, "SOURCES", ("random",)):
        raise GoldenError(f"{kernel} has no data source {data}")
    if not isinstance(classes, list) or not classes or classes[0] not in ("random", data):
        raise GoldenError("classes: a list is needed whose first entry is random")
    for name in classes[1:]:
        if name not in CLASSES:
            raise GoldenError(f"classes: unknown class {name}")
    return [data, *classes[1:]]


def as_case(value_class: str, params: Params, arrays: Mapping[str, Array]) -> Case:
    """The container's form of a case."""
    operands = []
    for name, array in arrays.items():
        little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        operands.append(Operand(name, array.dtype.name, array.shape, little_endian.tobytes()))
    return Case(value_class, params, tuple(operands))


def generate(spec: Mapping[str, Any]) -> tuple[Container, Container]:
    """Inputs and golden outputs of a specification."""
    if not isinstance(spec, dict) or set(spec) - {"inputs"} != _FIELDS:
        raise GoldenError(f"the specification must have the fields {', '.join(sorted(_FIELDS))}")
    shape, numerics = Shape.parse(spec["shape"]), Numerics.parse(spec["numerics"])
    kernel, seed = spec["kernel"], spec["seed"]
    given = own.read_arrays(spec["inputs"]) if "inputs" in spec else {}
    data = spec["data"] if "inputs" not in spec else "random"
    if type(seed) is not int or seed < 0:
        raise GoldenError(f"seed must be an integer from 0 on, not {seed}")
    operation = load_operation(kernel)
    dimensions = shape.as_dict()
    size = "-".join(f"{name}{value}" for name, value in dimensions.items())
    inputs, outputs = [], []
    for index, value_class in enumerate(_case_classes(operation, kernel, spec["classes"], data)):
        rng = CounterRng(f"{seed}/{kernel}/{size}/{value_class}")
        params, operands = operation.make_inputs(shape, rng, value_class, numerics, data)
        if given and index == 0:
            unchanged = operation.golden(shape, params, operands)
            params, operands = own.replace(given, params, operands, unchanged)
        results = operation.golden(shape, params, operands)
        if given and index == 0:
            results, value_class = own.expected(given, results), own.CLASS
        inputs.append(as_case(value_class, params, operands))
        outputs.append(as_case(value_class, {}, results))
    return (
        Container(kernel, dimensions, tuple(inputs)),
        Container(kernel, dimensions, tuple(outputs)),
    )


def write_file(path: str, data: bytes) -> None:
    """Replace `path` in one step."""
    temporary = f"{path}.tmp"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


def main(arguments: list[str]) -> int:
    """Exit status."""
    if len(arguments) != 3:
        print("usage: python -m golden.generate SPEC.json INPUTS.bin GOLDEN.bin", file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            spec = json.load(file)
        inputs, outputs = generate(spec)
    except (OSError, ValueError) as error:
        print(f"golden.generate: {error}", file=sys.stderr)
        return 2
    write_file(arguments[1], write_container(inputs))
    write_file(arguments[2], write_container(outputs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
