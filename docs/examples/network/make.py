# SPDX-License-Identifier: Apache-2.0
"""Makes mine.npz and its recordings: make.py FOLDER, in the project's environment.

The recordings are made up (three axes of an accelerometer that lies still, swings slowly, swings
fast, is knocked on). The encoder's weights are random and stay so; the head is fitted by least
squares to what the encoder makes of the recordings. A framework's trained tensors would be saved
by the last lines just so.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[2] / "site_scons")]

from golden.case import Array  # noqa: E402
from golden.network.floating import FloatNetwork  # noqa: E402
from golden.network.models import read_model  # noqa: E402

RANDOM = np.random.default_rng(7)
SIZES = {"train": 400, "test": 100, "calibration": 16}


def recordings(count: int) -> tuple[Array, Array]:
    """float16 [count, 3, 64], and the class of each."""
    labels = np.arange(count) % 4
    time = np.arange(64) + RANDOM.uniform(0, 64, (count, 3, 1))
    period = np.choose(labels, [64, 32, 9, 64])[:, None, None]
    period = period * RANDOM.uniform(0.8, 1.2, (count, 1, 1))
    swing = np.sin(2 * np.pi * time / period) * np.isin(labels, [1, 2])[:, None, None]
    knock = np.exp(-(time % 31) / 2) * (labels == 3)[:, None, None]
    size = RANDOM.uniform(0.3, 1, (count, 3, 1))
    noise = RANDOM.normal(0, 0.05, (count, 3, 64))
    return (size * (swing + 2 * knock) + noise).astype(np.float16), labels


def main(folder: Path) -> None:
    """Fit the head, save three files."""
    encoder = read_model(HERE / "mine.yaml").encoder
    tensors = {}
    for name, shape in encoder.tensors().items():
        depth = int(np.prod(shape[1:])) if len(shape) > 1 else 16
        tensors[name] = RANDOM.normal(0, depth**-0.5, shape)
        if "norm" in name:
            tensors[name] = np.full(shape, float(name.endswith("weight")))
    x, labels = recordings(SIZES["train"])
    kept = FloatNetwork(encoder, tensors).run(x)["mean"]
    features = np.hstack([kept, np.ones((len(x), 1))])
    fitted = np.linalg.lstsq(features, 2.0 * np.eye(4)[labels] - 1, rcond=None)[0].T
    tensors["head.weight"], tensors["head.bias"] = fitted[:, :-1], fitted[:, -1]
    test, labels = recordings(SIZES["test"])
    np.savez(folder / "mine.npz", **{k: v.astype(np.float32) for k, v in tensors.items()})
    np.savez(folder / "mine_inputs.npz", inputs=recordings(SIZES["calibration"])[0])
    np.savez(folder / "mine_test.npz", inputs=test, labels=labels.astype(np.int8))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
