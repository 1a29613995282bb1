# SPDX-License-Identifier: Apache-2.0
"""Real recordings that ship inside Python packages, read from there and copied nowhere.

  digits  1797 handwritten digits, 8 x 8 pixels of 0..16 (scikit-learn's load_digits), as [1,8,8] of
          0..1. The 360 images whose number has the smallest SHA-256 are the test set.
  motion  BasicMotions (aeon): 6 channels of a wearable sensor, 100 samples, 4 activities, 40
          recordings to train and 40 to test, as published. Each channel less the mean and over the
          deviation that it has in the training set, clipped to -4..4.
  ecg     windows of the record in PyWavelets (198 samples, one each 90), over the record's largest
          magnitude. It has no labels.

Only the packages' data files are read: neither scikit-learn nor aeon is imported, so that they need
none of what they depend on (`pip install --no-deps -r requirements-data.lock`).
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden import ecg
from golden.case import Array, GoldenError

TEST_DIGITS = 360
ECG_WINDOW, ECG_STEP = 198, 90
_MOTION_LIMIT = 4.0


@dataclass(frozen=True)
class Dataset:
    """Float inputs [N, *input] and labels [N]; no labels where there are none."""

    name: str
    train: Array
    train_labels: Array
    test: Array
    test_labels: Array
    classes: tuple[str, ...]


def package_file(module: str, package: str, *parts: str) -> Path:
    """A file that an installed package has."""
    found = importlib.util.find_spec(module)
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        path = Path(place, *parts)
        if path.is_file():
            return path
    raise GoldenError(
        f"data={'/'.join(parts[-1:])}: found no package {package} that has it, allowed after "
        "pip install --no-deps -r requirements-data.lock"
    )


def _digits() -> Dataset:
    path = package_file("sklearn", "scikit-learn", "datasets", "data", "digits.csv.gz")
    with gzip.open(path, "rt", encoding="ascii") as file:
        table = np.loadtxt(file, delimiter=",")
    pixels, labels = table[:, :-1].reshape(-1, 1, 8, 8) / 16, table[:, -1].astype(np.int64)
    order = sorted(range(len(labels)), key=lambda n: hashlib.sha256(str(n).encode()).digest())
    test, train = sorted(order[:TEST_DIGITS]), sorted(order[TEST_DIGITS:])
    classes = tuple(str(digit) for digit in range(10))
    return Dataset("digits", pixels[train], labels[train], pixels[test], labels[test], classes)


def _recordings(part: str) -> tuple[Array, Array, tuple[str, ...]]:
    """Values [N,6,100], labels [N] and their names of a file in the format .ts."""
    name = f"BasicMotions_{part}.ts"
    path = package_file("aeon", "aeon", "datasets", "data", "BasicMotions", name)
    head, _, body = path.read_text(encoding="utf-8").partition("@data")
    lines = [line.split() for line in head.splitlines() if line.lower().startswith("@classlabel")]
    if not lines or len(lines[0]) < 3:
        raise GoldenError(f"{name}: found no @classLabel")
    classes = tuple(lines[0][2:])
    values, labels = [], []
    for line in body.split():
        *channels, label = line.split(":")
        values.append([[float(value) for value in channel.split(",")] for channel in channels])
        labels.append(classes.index(label))
    return np.array(values), np.array(labels), classes


def _motion() -> Dataset:
    train, train_labels, classes = _recordings("TRAIN")
    test, test_labels, _ = _recordings("TEST")
    mean, deviation = train.mean(axis=(0, 2), keepdims=True), train.std(axis=(0, 2), keepdims=True)
    train, test = (
        np.clip((part - mean) / deviation, -_MOTION_LIMIT, _MOTION_LIMIT) for part in (train, test)
    )
    return Dataset("motion", train, train_labels, test, test_labels, classes)


def _ecg() -> Dataset:
    record = ecg.load_record().astype(np.float64)
    starts = range(0, record.size - ECG_WINDOW + 1, ECG_STEP)
    windows = np.stack([record[start : start + ECG_WINDOW] for start in starts])[:, None]
    windows = windows / np.abs(record).max()
    none = np.zeros(0, np.int64)
    return Dataset("ecg", windows, none, windows, none, ())


_SETS: dict[str, Callable[[], Dataset]] = {"digits": _digits, "motion": _motion, "ecg": _ecg}


def load_dataset(name: str) -> Dataset:
    """A dataset by its name; GoldenError where its package is missing."""
    if name not in _SETS:
        raise GoldenError(f"data={name}: allowed {', '.join(_SETS)}")
    return _SETS[name]()
