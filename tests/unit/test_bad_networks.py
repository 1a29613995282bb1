# SPDX-License-Identifier: Apache-2.0
"""`./scons model=FILE` with a model that is wrong: one clear line, status 2, nothing written.

The example of docs/examples/network, broken in one place each.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from golden.case import Operands
from touchstone.cli import networks

EXAMPLE = ROOT / "docs/examples/network"
Change = Callable[[Operands], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example, and a checkout that has nothing but its names."""
    shutil.copytree(EXAMPLE, tmp_path / "mine")
    (tmp_path / "checkout").mkdir()
    return tmp_path


def refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """What the command says, in one line, about the description."""
    checkout = folder / "checkout"
    status = networks(checkout, {"model": str(folder / "mine/mine.yaml"), "target": "gap9"})
    said = capfd.readouterr()
    assert status == 2 and said.out == ""
    assert said.err.startswith("touchstone: ") and said.err.count("\n") == 1, said.err
    assert not (checkout / "build/networks").exists()
    return said.err


def with_weights(folder: Path, change: Change) -> None:
    """Change the float tensors."""
    path = folder / "mine/mine.npz"
    with np.load(path) as archive:
        tensors: Operands = dict(archive)
    change(tensors)
    np.savez(path, **tensors)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            lambda t: t.update({"head.weight": np.zeros((4, 15))}),
            "mine.npz: head.weight: found shape [4, 15], allowed [4, 16]",
        ),
        (
            lambda t: t["blocks.0.q.weight"].__setitem__((3, 4), np.nan),
            "q.weight: found 1 of 256 values that are NaN or infinite, the first at [3, 4]",
        ),
        (
            lambda t: t.update({"blocks.0.up.bias": np.full(32, 1e30)}),
            "mine: blocks.0.up: the scales overflow: found a requantisation by",
        ),
        (
            lambda t: t.update({"blocks.0.o.weight": t["blocks.0.o.weight"] * 1e30}),
            "mine: blocks.0.add1: the scales overflow: found gains of",
        ),
        (
            lambda t: t.update({"blocks.0.k.wieght": t.pop("blocks.0.k.weight")}),
            "no tensor blocks.0.k.weight [16, 16]; did you mean blocks.0.k.weight by "
            "blocks.0.k.wieght?",
        ),
        (lambda t: t.update({"extra": np.zeros(3)}), "mine.npz: found the unknown tensor extra"),
    ],
)
def test_bad_weights(
    folder: Path, capfd: pytest.CaptureFixture[str], change: Change, wanted: str
) -> None:
    with_weights(folder, change)
    assert wanted in refused(folder, capfd)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("heads: 2", "heads: two"), "mine.yaml: heads: found 'two', allowed a whole number"),
        (("heads: 2", "head: 2"), "did you mean heads?"),
        (("kernel: [4]", "kernel: [65]"), "front_end.kernel: found 65, allowed 1 to 64"),
        (("[3, 64]", "[3, 60]"), "mine.npz: position: found shape [16, 16], allowed [15, 16]"),
        (("mine.npz", "mine.pt"), "mine.pt: found .pt, allowed .npz, .safetensors"),
        (("mine.npz", "yours.npz"), "yours.npz: found no readable file"),
        (("mine_inputs", "mine_test"), "mine_test.npz: found inputs [100, 3, 64], labels [100]"),
    ],
)
def test_bad_descriptions(
    folder: Path, capfd: pytest.CaptureFixture[str], change: tuple[str, str], wanted: str
) -> None:
    path = folder / "mine/mine.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(change[0]) == 1
    path.write_text(text.replace(*change), encoding="utf-8")
    assert wanted in refused(folder, capfd)
