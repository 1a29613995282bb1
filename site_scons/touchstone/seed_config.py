# SPDX-License-Identifier: Apache-2.0
"""The seed project's testConfig.yml, as it is: its tests, run with our kernels on gap9.

That file lists S, E, P and H (the product is run), cores, a seed, `testToRun`, and a mapping
for each test. Kernel and folder names in those mappings belong to the seed project's own
sources, so a test is recognised by its name alone. `platform: gvsoc` means the target's
preferred simulator.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from touchstone.cells import DEFAULT_DATA, Numerics
from touchstone.config import ConfigEntry, Matrix, shapes_of
from touchstone.errors import UserError, unknown
from touchstone.schema import load_validated
from touchstone.textfile import shown

TARGET = "gap9"
BEST = "default"
PORTABLE = "portable"


class SeedTest(NamedTuple):
    """A test of the seed project and what stands for it here."""

    test: str
    kernel: str
    variant: str


# The seed project's plain C baseline (FWA v1) and its PULP-NN compositions map to the portable
# variants; its splits over S or over H map to one kernel, which divides its work by itself.
MAPPING = (
    SeedTest("projQK", "linear_qk", BEST),
    SeedTest("projV", "linear_v", BEST),
    SeedTest("projO", "linear_o", BEST),
    SeedTest("matmulSoftmaxM1_S", "attention_scores", BEST),
    SeedTest("matmulSoftmaxM1_H", "attention_scores", BEST),
    SeedTest("matmulM2_S", "attention_context", BEST),
    SeedTest("matmulM2_H", "attention_context", BEST),
    SeedTest("iSoftmax", "softmax", BEST),
    SeedTest("matmulSoftmaxFWA_v1", "fwsa", PORTABLE),
    SeedTest("matmulSoftmaxFWA_v2", "fwsa", BEST),
    SeedTest("matmulSoftmaxFWA_v3", "fwsa", BEST),
    SeedTest("MHSA", "mhsa", BEST),
    SeedTest("MHSAFWA", "mhsa_fwsa", BEST),
    SeedTest("projPULPNN", "linear_qk", PORTABLE),
    SeedTest("projOPULPNN", "linear_o", PORTABLE),
    SeedTest("matmulSoftmaxM1PULPNN", "attention_scores", PORTABLE),
    SeedTest("matmulM2PULPNN", "attention_context", PORTABLE),
    SeedTest("MHSAPULPNN", "mhsa", PORTABLE),
)


def mapping_rows() -> list[tuple[str, str, str]]:
    """For the README and `list`: test of the seed project, our kernel, variant."""
    return [(row.test, row.kernel, row.variant) for row in MAPPING]


def load_seed_matrix(path: Path, cache: Path) -> Matrix:
    """The matrix that a testConfig.yml asks for: one entry for each test in `testToRun`."""
    document = load_validated(path, "seed_config", cache)
    name = shown(path)
    tests = {row.test: row for row in MAPPING}
    shapes = shapes_of({key: document[key] for key in "SEPH"}, name)
    entries = []
    for index, test in enumerate(document["testToRun"]):
        where = f"{name}: testToRun[{index}]"
        if test not in tests:
            raise UserError(unknown(where, test, tests))
        variant = tests[test].variant
        entries.append(
            ConfigEntry(
                name=test,
                where=where,
                targets=(TARGET,),
                kernels=(tests[test].kernel,),
                variants=() if variant == BEST else (variant,),
                shapes=tuple(dict.fromkeys(shapes)),
                cores=(document["cores"],),
                seed=document["seed"],
                numerics=Numerics(),
                data=DEFAULT_DATA,
            )
        )
    return Matrix(name, tuple(entries))
