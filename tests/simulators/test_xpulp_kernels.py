# SPDX-License-Identifier: Apache-2.0
"""The XpulpV2 variants as firmware on the GAP9 simulator, bit for bit against golden models."""

from __future__ import annotations

import functools
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from firmware import Workshop
from xpulp_tools import simulator

from golden.generate import generate
from golden.pack import pack_container
from touchstone.expression import evaluate, evaluate_with_terms
from touchstone.image import compose
from touchstone.job import OperandSpec, build_job, run_id, with_run_id
from touchstone.manifest import Kernel, Target, load_kernel, load_target
from touchstone.records import Expected, JobResult, parse_stream
from touchstone.schedule import OWN
from touchstone.vectors import Container

ROOT = Path(__file__).parents[2]
VARIANT = "xpulp"
OPERATIONS = (
    *("linear_qk", "linear_v", "linear_o", "attention_scores", "attention_context", "softmax"),
    *("fwsa", "mhsa", "mhsa_fwsa", "mhsa_dft"),
)
CLASSES = ["random", "extremes", "saturating", "constant", "one_hot"]
NUMERICS: tuple[dict[str, Any], ...] = (
    {"rounding": "floor", "per_channel": False, "softmax": "authors", "gelu": "i_gelu"},
    {"rounding": "half_up", "per_channel": True, "softmax": "accurate", "gelu": "i_gelu"},
    {"rounding": "half_up", "per_channel": False, "softmax": "wide", "gelu": "i_gelu"},
)
# S, E, P, H: one row, one column, every remainder by 4, more and fewer units of work than cores.
SHAPES = (
    (1, 1, 1, 1),
    (1, 32, 32, 8),
    (2, 3, 2, 1),
    (3, 4, 4, 16),
    (4, 5, 3, 2),
    (5, 7, 6, 3),
    (6, 13, 1, 5),
    (7, 8, 5, 4),
    (9, 30, 7, 2),
    (13, 33, 9, 1),
    (17, 16, 2, 12),
    (21, 5, 12, 2),
    (33, 20, 17, 1),
    (29, 16, 12, 2),
)
# MAC per cycle on 8 cores that the shape of the paper's EEGFormer must keep.
EEG = (81, 32, 32, 8)
EEG_MAC_PER_CYCLE = {"mhsa": 13.9, "mhsa_fwsa": 13.6, "linear_qk": 10.0, "linear_o": 14.0}
GOLDEN = {"mhsa_dft": "mhsa"}  # where the model has another name
INSTRUCTION_LIMIT = 200_000_000


@dataclass(frozen=True)
class Machine:
    """Target, simulator and firmware, the latter built when first asked for."""

    directory: Path

    @functools.cached_property
    def target(self) -> Target:
        return load_target(ROOT, "gap9", self.directory / "manifests")

    def kernel(self, name: str) -> Kernel:
        return load_kernel(ROOT, name, self.directory / "manifests")

    @functools.cache  # noqa: B019 - one machine a session
    def loadable(self, name: str) -> bytes:
        kernel = self.kernel(name)
        workshop = Workshop(ROOT, ROOT, ROOT / "build" / "zig")
        return workshop.loadable(
            self.target, kernel, kernel.variant(VARIANT), self.directory / name
        )

    def run(self, kernel: Kernel, inputs: Container, outputs: Container, cores: int) -> JobResult:
        variant = kernel.variant(VARIANT)
        per_channel = int(
            any(case.params.get(f, 0) & 2 for case in inputs.cases for f in _flags(kernel))
        )
        sizes = {**inputs.shape, "cores": cores, "per_channel": per_channel, **OWN.values()}
        if variant.layout:
            inputs = pack_container(inputs, kernel.layouts[variant.layout])
        output_bytes = len(outputs.cases[0].operands[0].data)
        operands = [
            OperandSpec(entry.name, entry.role, output_bytes if entry.role == "output" else None)
            for entry in kernel.operands
        ]
        scratch = evaluate_with_terms(variant.scratch, variant.terms, sizes, kernel.where)
        job = build_job(inputs, operands, kernel.name, cores, scratch, kernel.params)
        loadable = self.loadable(kernel.name)
        image = self.directory / "image.elf"
        image.write_bytes(compose(loadable, with_run_id(job, loadable)))
        report, stream = self.directory / "report", self.directory / "stream"
        command = [simulator(), image, "--stream", stream, "--log", self.directory / "log"]
        command += ["--report", report, "--max-instructions", INSTRUCTION_LIMIT]
        subprocess.run([str(word) for word in command], check=True)
        said = json.loads(report.read_text())
        assert said["status"] == "exit", said
        index = [entry.role for entry in kernel.operands].index("output")
        expected = Expected(
            run_id(job, loadable), kernel.name, cores, index, [output_bytes] * len(inputs.cases)
        )
        return parse_stream(stream.read_bytes(), expected)


def _flags(kernel: Kernel) -> list[str]:
    return [name for name in kernel.params if name.endswith("_flags")]


def _vectors(
    name: str, shape: tuple[int, ...], numerics: dict[str, Any], classes: list[str]
) -> tuple[Container, Container]:
    dimensions = {**dict(zip("SEPH", shape, strict=True)), "F": 2 * shape[1] + 3}
    spec = {"kernel": GOLDEN.get(name, name), "shape": dimensions, "seed": 1, "numerics": numerics}
    return generate({**spec, "data": "random", "classes": classes})


def _check(result: JobResult, outputs: Container) -> None:
    for case, golden in zip(result.cases, outputs.cases, strict=True):
        assert (golden.value_class, case.status_text) == (golden.value_class, "ok")
        assert case.output == golden.operands[0].data, golden.value_class


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("xpulp_kernels"))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "S{}-E{}-P{}-H{}".format(*shape))
@pytest.mark.parametrize("name", OPERATIONS)
def test_equals_golden(machine: Machine, name: str, shape: tuple[int, ...]) -> None:
    """All value classes and numerics; the number of cores goes through 1..8 over the grid."""
    kernel = machine.kernel(name)
    for number, numerics in enumerate(NUMERICS):
        inputs, outputs = _vectors(kernel.golden, shape, numerics, CLASSES)
        cores = (SHAPES.index(shape) + 3 * number + OPERATIONS.index(name)) % 8 + 1
        _check(machine.run(kernel, inputs, outputs, cores), outputs)


@pytest.mark.parametrize("name", sorted(EEG_MAC_PER_CYCLE))
def test_speed_at_eegformer(machine: Machine, name: str) -> None:
    kernel = machine.kernel(name)
    inputs, outputs = _vectors(kernel.golden, EEG, NUMERICS[0], ["random"])
    result = machine.run(kernel, inputs, outputs, 8)
    _check(result, outputs)
    macs = evaluate(kernel.macs, dict(inputs.shape), kernel.where)
    assert result.cycles_warm is not None
    assert macs / result.cycles_warm >= EEG_MAC_PER_CYCLE[name]
