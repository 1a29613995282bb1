# SPDX-License-Identifier: Apache-2.0
"""Whole test sets on simulated chips: how inputs become jobs, and what a deviation does."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from golden import networks
from golden.network import models
from golden.network.graph import logits
from golden.network.quantiser import integer_inputs
from golden.network.scales import quantise
from touchstone.errors import UserError
from touchstone.network import accuracy
from touchstone.network.model import load_model
from touchstone.network.source import adopt
from touchstone.vectors import Case, Container, Operand

CASE = Case(
    "random",
    {"trace": 0},
    (Operand("input", "int8", (4,), b"abcd"), Operand("weights", "int8", (3,), b"www")),
)
SET = accuracy.TestSet(
    "digits", tuple(bytes([n] * 4) for n in range(5)), (b"\x05\x80", b"\x00\x01"), (0, 1), (0, 0)
)
PLAN: Any = SimpleNamespace(
    cell=SimpleNamespace(target=SimpleNamespace(name="gap9"), simulator="xpulp")
)


def test_jobs_hold_every_input_once_and_share_the_weights() -> None:
    timed = Container("digits", {"S": 1}, (CASE, CASE))
    capacity = accuracy._RESERVE + 3 + 16 + 2 * (4 + 16 * 5 + 4)
    jobs = list(accuracy.batches(timed, SET, capacity))
    assert [len(job.cases) for job in jobs] == [2, 2, 1]
    cases = [case for job in jobs for case in job.cases]
    assert tuple(case.operand("input").data for case in cases) == SET.inputs
    assert {case.operand("weights").data for case in cases} == {b"www"}
    with pytest.raises(UserError, match="no room for one input"):
        list(accuracy.batches(timed, SET, accuracy._RESERVE))


def test_the_best_class_is_of_signed_numbers() -> None:
    assert accuracy.best(b"\x80\xff\x01\x01") == 2


def test_a_chip_that_differs_in_one_bit_fails() -> None:
    same = accuracy.compare(PLAN, SET, SET.golden)
    assert same.holds and same.chip_accuracy == 100.0 and same.float_accuracy == 50.0
    other = accuracy.compare(PLAN, SET, (SET.golden[0], b"\x01\x01"))
    assert (other.different, other.first_different, other.holds) == (1, 1, False)
    assert "1 differ, the first is input 1 | FAIL" in accuracy.table([other])


def test_int8_that_loses_more_than_a_point_fails() -> None:
    row = accuracy.compare(PLAN, SET, SET.golden)
    assert dataclasses.replace(row, float_accuracy=97.5, chip_accuracy=96.5).holds
    assert not dataclasses.replace(row, float_accuracy=97.5, chip_accuracy=96.4).holds


def test_a_deployed_network_is_the_quantised_one(tmp_path: Path) -> None:
    """Patches are gathered on the chip; what comes of them is what the quantiser's model says."""
    path = tmp_path / "small.yaml"
    path.write_text(
        "{input: [2, 4, 6], front_end: {kind: conv2d, kernel: [2, 3]}, embedding: 8, "
        "projection: 4, heads: 2, feed_forward: 8, blocks: 1, classes: 3, class_token: true}"
    )
    described = models.read_model(path)
    integer = described.quantise()
    deployed = adopt(load_model(path, tmp_path), integer)
    x = described.calibration_inputs()
    scale = integer.scales["input"]
    wanted = logits(integer, integer_inputs(described.float_network(), scale, x))
    found = [
        networks.forward(deployed, {"signal": signal})["head"].reshape(-1)
        for signal in quantise(x, scale)
    ]
    assert np.array_equal(np.stack(found), wanted)
