# SPDX-License-Identifier: Apache-2.0
"""`./scons accuracy model=digits,motion [target=] [sim=] [cores=]`: a whole test set on the chips.

The networks' firmwares are built and checked as by `model=`. Then every input of the test set is a
case of a job (equal bytes, such as the weights, are in a job once), and the logits that the
simulated chip gives are held against the integer golden model, all of them and to the last bit.
Against the float model it is accuracy that counts: at most one point less.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from touchstone import app
from touchstone.errors import UserError, unknown
from touchstone.files import write_atomically, write_json
from touchstone.graph import CellPlan
from touchstone.image import job_capacity
from touchstone.network.command import PROJECT, YAML_CACHE, generate, join_rooms, run_scons
from touchstone.network.model import Described, find_models
from touchstone.network.onnx_model import OnnxModel
from touchstone.network.source import network_of
from touchstone.observe import simulator_of
from touchstone.process import ProcessRegistry
from touchstone.run_cell import run_cell
from touchstone.runfile import CellRun
from touchstone.simulators.base import RunStatus
from touchstone.vectors import Case, Container, Operand, read_container, write_container

WORDS = ("model", "target", "sim", "cores")
MOST_POINTS = 1.0  # that int8 may lose
MOST_CASES = 64
NOISE_INPUTS = 32
_RESERVE = 8192  # of a job: its header, tables and alignment


@dataclass(frozen=True)
class TestSet:
    """Inputs as the job has them, and what the models make of them."""

    name: str
    inputs: tuple[bytes, ...]
    golden: tuple[bytes, ...]
    labels: tuple[int, ...]
    float_classes: tuple[int, ...]
    noise: tuple[tuple[str, float], ...] = ()
    """Tensor and its signal-to-quantisation-noise in decibels."""


@dataclass(frozen=True)
class Row:
    """One network on one target; accuracies in per cent, None without labels."""

    model: str
    target: str
    simulator: str
    inputs: int
    float_accuracy: float | None
    golden_accuracy: float | None
    chip_accuracy: float | None
    different: int
    first_different: int | None

    @property
    def holds(self) -> bool:
        """Whether chip and golden model agree, and int8 keeps what float has."""
        if self.different:
            return False
        if self.float_accuracy is None or self.chip_accuracy is None:
            return True
        return self.chip_accuracy >= self.float_accuracy - MOST_POINTS


def command(root: Path, arguments: Mapping[str, str]) -> int:
    """Build, run every test set, print and keep the table; the exit status."""
    for name in arguments:
        if name not in WORDS:
            raise UserError(unknown("accuracy: variable", name, WORDS))
    if "model" not in arguments:
        raise UserError("accuracy: found no model=, allowed names of configs/models or .yaml files")
    words = dict(arguments)
    models = find_models(root, words.pop("model"), root / YAML_CACHE)
    sets = {model.name: test_set(model) for model in models}
    words = {**words, "kernel": ",".join(sets)}
    generate(root, models)
    join_rooms(root)
    status = run_scons(root, words)
    if status:
        return status
    words["config"] = str(root / PROJECT / "matrix.yaml")
    plans = app.prepare(root / PROJECT, words).plans
    rows = [run_on(root / PROJECT, plan, sets[plan.cell.kernel.name]) for plan in plans]
    text = "\n\n".join([table(rows), *(noise_table(tests) for tests in sets.values())])
    write_json(root / app.REPORT / "accuracy.json", {"rows": [asdict(row) for row in rows]})
    write_atomically(root / app.REPORT / "accuracy.md", (text + "\n").encode("utf-8"))
    print(f"\n{text}", flush=True)
    return 0 if all(row.holds for row in rows) else 1


def test_set(model: Described) -> TestSet:
    """The test set of a model, with the float and the integer golden model's answers.

    Without weights of its own a network has no accuracy, but its recordings go through it all the
    same.
    """
    if isinstance(model, OnnxModel):
        raise UserError(f"accuracy: {model.where}: found a graph of integers, allowed descriptions")
    # Imported here: golden models need numpy.
    import numpy as np

    from golden.case import GoldenError
    from golden.network.models import read_model
    from golden.network.report import layer_noise
    from golden.network.scales import quantise
    from golden.networks import forward, join_inputs

    try:
        described = read_model(model.path)
        dataset = described.dataset()
        if dataset is None:
            raise UserError(f"{model.where}: found no data:, no test:, allowed one of them")
        network, quantised = described.float_network(), described.quantise()
        scale = quantised.scales["input"]
        noise = layer_noise(network, quantised, dataset.test[:NOISE_INPUTS])
        deployed = network_of(model)
    except GoldenError as error:
        raise UserError(str(error)) from None
    classes, labels = [], []
    if described.weights:
        labels = [int(label) for label in dataset.test_labels]
        classes = [int(best) for best in network.run(dataset.test)["head"].argmax(axis=1)]
    signal = next(iter(deployed.inputs))
    shape = deployed.inputs[signal]
    others = {name: np.zeros(size, np.int8) for name, size in deployed.inputs.items()}
    given = [{**others, signal: x.reshape(shape)} for x in quantise(dataset.test, scale)]
    last = deployed.layers[-1].name
    return TestSet(
        model.name,
        tuple(join_inputs(deployed, inputs).tobytes() for inputs in given),
        tuple(forward(deployed, inputs)[last].tobytes() for inputs in given),
        tuple(labels),
        tuple(classes),
        tuple(noise.items()),
    )


def run_on(root: Path, plan: CellPlan, tests: TestSet) -> Row:
    """The whole test set in jobs on one target's simulator."""
    loadable = root / plan.firmware.path("firmware.load")
    timed = read_container((root / plan.packed.inputs).read_bytes())
    simulator, registry = simulator_of(root, plan), ProcessRegistry()
    jobs = list(batches(timed, tests, job_capacity(loadable.read_bytes())))
    scratch = root / plan.directory / "accuracy"

    def run(number: int) -> list[bytes]:
        job = jobs[number]
        spec = json.loads(plan.run_spec)
        for limit in ("max_instructions", "wall_seconds"):
            spec[limit] *= len(job.cases)
        path = scratch / f"{number}.bin"
        write_atomically(path, write_container(job))
        try:
            made = run_cell(loadable, path, spec, simulator, registry, scratch)
        finally:
            path.unlink()
        return outputs_of(plan.cell.id, made, len(job.cases), len(tests.golden[0]))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = [output for made in pool.map(run, range(len(jobs))) for output in made]
    return compare(plan, tests, found)


def batches(timed: Container, tests: TestSet, capacity: int) -> Iterator[Container]:
    """Jobs that fit the firmware: copies of the first case, each with an input of its own."""
    case = timed.cases[0]
    shared = sum(len(one.data) + 16 for one in case.operands if one.name != "input")
    each = len(tests.inputs[0]) + 16 * (len(case.operands) + 3) + 4 * len(case.params)
    count = min(MOST_CASES, (capacity - shared - _RESERVE) // each)
    if count < 1:
        raise UserError(f"accuracy: {tests.name}: found no room for one input in a job")
    for start in range(0, len(tests.inputs), count):
        cases = tuple(_with_input(case, data) for data in tests.inputs[start : start + count])
        yield Container(timed.kernel, timed.shape, cases)


def _with_input(case: Case, data: bytes) -> Case:
    operands = tuple(
        Operand(one.name, one.type, one.shape, data) if one.name == "input" else one
        for one in case.operands
    )
    return Case("inputs", case.params, operands)


def outputs_of(cell: str, made: CellRun, cases: int, length: int) -> list[bytes]:
    """The logits of every case: the last bytes of its output."""
    if made.status is not RunStatus.COMPLETED or len(made.cases) != cases:
        raise UserError(f"accuracy: {cell}: the run ended with {made.status.value} {made.reason}")
    found = []
    for case in made.cases:
        if case.status != "ok" or case.output is None:
            raise UserError(f"accuracy: {cell}: the firmware says {case.status}")
        found.append(case.output[-length:])
    return found


def compare(plan: CellPlan, tests: TestSet, found: Sequence[bytes]) -> Row:
    """Chip against golden model, and both against the labels."""
    pairs = zip(found, tests.golden, strict=True)
    different = [number for number, (chip, golden) in enumerate(pairs) if chip != golden]
    return Row(
        tests.name,
        plan.cell.target.name,
        plan.cell.simulator,
        len(found),
        accuracy(tests.float_classes, tests.labels),
        accuracy([best(row) for row in tests.golden], tests.labels),
        accuracy([best(row) for row in found], tests.labels),
        len(different),
        different[0] if different else None,
    )


def best(logits: bytes) -> int:
    """The first class with the largest int8."""
    values = memoryview(logits).cast("b").tolist()
    return values.index(max(values))


def accuracy(classes: Sequence[int], labels: Sequence[int]) -> float | None:
    """Per cent, None without labels."""
    if not labels:
        return None
    return 100 * sum(a == b for a, b in zip(classes, labels, strict=True)) / len(labels)


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f} %"

    headers = ["network", "target", "simulator", "inputs", "float", "int8 golden", "on chip"]
    lines: list[list[Any]] = []
    for row in rows:
        equal = "all equal" if not row.different else f"{row.different} differ"
        if row.different:
            equal += f", the first is input {row.first_different}"
        values = (row.float_accuracy, row.golden_accuracy, row.chip_accuracy)
        verdict = "PASS" if row.holds else "FAIL"
        start = [row.model, row.target, row.simulator, row.inputs]
        lines.append([*start, *map(percent, values), equal, verdict])
    return tabulate(lines, headers=[*headers, "logits", ""], tablefmt="github")


def noise_table(tests: TestSet) -> str:
    """What quantisation adds to every tensor of the network, on the first inputs."""
    headers = [f"{tests.name}: tensor", "signal to quantisation noise"]
    lines = [[name, f"{decibels:.1f} dB"] for name, decibels in tests.noise]
    return tabulate(lines, headers=headers, tablefmt="github")
