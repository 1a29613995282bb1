# SPDX-License-Identifier: Apache-2.0
"""What holds the golden models to account, run in a process whose models may be broken:

    python -m touchstone.mutation.golden_checks MODULE < edited source

Prints one JSON object: by which of the committed digests and of the float references the module
that came by standard input is caught (a reason each, or null). Without arguments the models are
those on the disk.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

# The references' own tests have more; what is here takes about a second and covers every model,
# every numeric setting and value class, and dimensions that differ from each other.
SIZES = (13, 9, 3, 2, 5)
SOFTMAX = ("authors", "accurate", "wide")
ROUNDING = (("floor", False), ("half_up", True))


class Edited(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a text instead of its file."""

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Its own module alone."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the text."""
        exec(compile(self._source, self._name, "exec"), module.__dict__)


def by_digests() -> str | None:
    """The first point whose bytes are not those committed."""
    from golden import digests

    return next(iter(digests.differences()), None)


def by_references() -> str | None:
    """The first output outside the interval of the float reference."""
    from golden.case import Shape
    from golden.counter_rng import CounterRng
    from golden.digests import KERNELS
    from golden.float_reference import RealCase, reference, stage_references
    from golden.generate import load_operation
    from golden.presets import Numerics
    from golden.value_classes import CLASSES

    shape = Shape(*SIZES)
    for kernel, softmax, rounding, value_class in itertools.product(
        KERNELS, SOFTMAX, ROUNDING, CLASSES
    ):
        operation = load_operation(kernel)
        gelu = "accurate" if softmax == "wide" else "i_gelu"
        numerics = Numerics(*rounding, softmax, gelu)
        rng = CounterRng(f"mutation/{value_class}")
        case = operation.make_inputs(shape, rng, value_class, numerics, "random")
        real = RealCase(case[0], case[1], softmax, gelu)
        where = f"{kernel} {softmax} {rounding[0]} {value_class}"
        if hasattr(operation, "stages"):
            found = operation.stages(shape, *case)
            bands = stage_references(kernel, real, found)
        else:
            found = operation.golden(shape, *case)
            bands = {"output": reference(kernel, real)}
        for name, band in bands.items():
            # The saturating class of GELU has another table.
            other_table = value_class == "saturating" and (name == "activated" or kernel == "gelu")
            if not other_table and band.violations(found[name]):
                return f"{where}: {name}"
    return None


def reason(check: Callable[[], str | None]) -> str | None:
    """What a check says; an exception of a broken model says enough too."""
    try:
        return check()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main(arguments: Sequence[str]) -> int:
    """Check, with one module replaced where it is named."""
    if arguments:
        sys.meta_path.insert(0, Edited(f"golden.{arguments[0]}", sys.stdin.read()))
    json.dump({"digests": reason(by_digests), "references": reason(by_references)}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
