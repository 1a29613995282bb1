# SPDX-License-Identifier: Apache-2.0
"""Generated inputs: the same everywhere, of the stated classes, in the kernels' order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from golden import digests
from golden.calibrate import OUTPUT_SPREAD
from golden.case import GoldenError, Shape
from golden.counter_rng import CounterRng
from golden.digests import KERNELS
from golden.generate import generate
from golden.generate import main as generate_main
from golden.value_classes import CLASSES
from touchstone.vectors import Operand, read_container, write_container

ROOT = Path(__file__).resolve().parents[2]
SHAPE = {"S": 17, "E": 12, "P": 6, "H": 3, "F": 10}


def _spec(kernel: str, **changes: Any) -> dict[str, Any]:
    numerics = {"rounding": "floor", "per_channel": False, "softmax": "authors", "gelu": "i_gelu"}
    spec = {
        "kernel": kernel,
        "shape": SHAPE,
        "seed": 1,
        "numerics": numerics,
        "data": "random",
        "classes": list(CLASSES),
    }
    spec["numerics"] = {**numerics, **changes.pop("numerics", {})}
    return {**spec, **changes}


def _array(operand: Operand) -> Any:
    dtype = np.dtype(operand.type).newbyteorder("<")
    return np.frombuffer(operand.data, dtype).reshape(operand.shape)


def test_the_random_stream_is_fixed() -> None:
    rng = CounterRng("touchstone")
    # SplitMix64, computed with Python integers.
    import hashlib

    key = int.from_bytes(hashlib.sha256(b"touchstone/a").digest()[:8], "little")
    mask = 2**64 - 1
    expected = []
    for index in (1, 2, 3):
        z = (key + index * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        expected.append(z ^ (z >> 31))
    assert rng.words("a", 3).tolist() == expected
    assert rng.bytes("a", (2, 3)).ravel().tolist() == list(expected[0].to_bytes(8, "little")[:6])
    low, high = -5, 250
    scaled = [low + ((word >> 32) * (high - low + 1) >> 32) for word in expected]
    assert rng.integers("a", (3,), low, high).tolist() == scaled
    assert rng.child("b").words("a", 1)[0] == CounterRng("touchstone/b").words("a", 1)[0]


def test_the_random_stream_is_uniform() -> None:
    values = CounterRng("uniform").bytes("bytes", (256_000,))
    counts = np.bincount(values, minlength=256)
    assert counts.min() > 850 and counts.max() < 1150
    numbers = CounterRng("uniform").integers("numbers", (70_000,), -3, 3)
    assert (np.abs(np.bincount(numbers + 3) - 10_000) < 500).all()
    with pytest.raises(ValueError, match="cannot draw"):
        CounterRng("uniform").integers("none", (1,), 1, 0)


def test_committed_digests() -> None:
    assert digests.differences() == []


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("per_channel", [False, True])
def test_names_types_and_shapes_are_those_of_the_kernel(kernel: str, per_channel: bool) -> None:
    manifest = yaml.safe_load((ROOT / "kernels" / kernel / "kernel.yaml").read_text())
    symbols = {**SHAPE, "per_channel": per_channel}
    expected = [
        (
            operand["name"],
            operand["type"],
            tuple(eval(str(length), {"__builtins__": {}}, symbols) for length in operand["shape"]),
        )
        for operand in manifest["operands"]
    ]
    inputs, golden = generate(_spec(kernel, numerics={"per_channel": per_channel}))
    for given, result in zip(inputs.cases, golden.cases, strict=True):
        found = [(o.name, o.type, o.shape) for o in (*given.operands, *result.operands)]
        assert found == expected
        assert list(given.params) == manifest["params"]
        assert result.params == {}
    assert [case.value_class for case in inputs.cases] == list(CLASSES)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_case_depends_on_its_own_class_only(kernel: str) -> None:
    every, _ = generate(_spec(kernel))
    some, _ = generate(_spec(kernel, classes=["random", "one_hot"]))
    assert some.cases == (every.cases[0], every.cases[CLASSES.index("one_hot")])
    other, _ = generate(_spec(kernel, seed=2))
    assert other.cases[0].operands[0] != every.cases[0].operands[0]


def test_value_classes() -> None:
    inputs, _ = generate(_spec("linear_qk"))
    cases = {case.value_class: case for case in inputs.cases}
    for name in ("input", "weight"):
        assert set(_array(cases["extremes"].operand(name)).ravel()) == {-128, 127}
        assert len(set(_array(cases["constant"].operand(name)).ravel())) == 1
        values = _array(cases["random"].operand(name))
        assert values.min() < -100 and values.max() > 100
    one_hot = _array(cases["one_hot"].operand("input"))
    assert (np.count_nonzero(one_hot, axis=-1) == 1).all()
    biases = np.abs(_array(cases["saturating"].operand("bias")).astype(np.int64))
    assert biases.max() > 2**30 > biases.min()


@pytest.mark.parametrize("kernel", ["linear_qk", "linear_v", "linear_o", "attention_context"])
@pytest.mark.parametrize("shape", [(81, 32, 32, 8), (66, 16, 2, 8), (128, 128, 64, 16)])
def test_outputs_are_spread(kernel: str, shape: tuple[int, int, int, int]) -> None:
    sizes = dict(zip("SEPHF", (*shape, 0), strict=True))
    for per_channel in (False, True):
        spec = _spec(kernel, shape=sizes, numerics={"per_channel": per_channel})
        _, golden = generate(spec)
        outputs = [_array(case.operands[0]) for case in golden.cases]
        assert 0.6 * OUTPUT_SPREAD < outputs[0].std() < 1.5 * OUTPUT_SPREAD
        clipped = (outputs[2] == 127) | (outputs[2] == -128)
        assert clipped.mean() > 0.7


@pytest.mark.parametrize("softmax", ["authors", "accurate", "wide"])
@pytest.mark.parametrize("data", ["random", "ecg"])
def test_attention_rows_are_neither_flat_nor_one_hot(softmax: str, data: str) -> None:
    from golden import mhsa, mhsa_fwsa
    from golden.presets import Numerics

    shape = Shape(81, 32, 32, 8, 0)
    value_class = "ecg" if data == "ecg" else "random"
    for operation in (mhsa, mhsa_fwsa):
        rng = CounterRng(f"rows/{value_class}")
        case = operation.make_inputs(shape, rng, value_class, Numerics(softmax=softmax), data)
        rows = operation.stages(shape, *case)["map"].astype(np.float64).reshape(-1, shape.S)
        effective = rows.sum(axis=1) ** 2 / (rows**2).sum(axis=1)
        # An ECG is flat but for its peaks: the rows of its peaks are one-hot, whatever the scale.
        assert (1.8 if data == "ecg" else 3) < effective.mean() < 0.6 * shape.S


def test_all_shifts_occur() -> None:
    shifts: set[int] = set()
    for kernel in KERNELS:
        for seed in range(3):
            for size in ((17, 12, 6, 3), (40, 96, 32, 8)):
                shape = dict(zip("SEPHF", (*size, 24), strict=True))
                inputs, _ = generate(_spec(kernel, seed=seed, shape=shape))
                for case in inputs.cases:
                    shifts.update(v for n, v in case.params.items() if n.endswith("shift"))
    assert shifts >= set(range(1, 32))


def test_identical_tables_are_stored_once() -> None:
    data = write_container(generate(_spec("softmax"))[0])
    assert data.count(np.array([73, 60, 49, 40, 33, 36], dtype="<u4").tobytes()) == 1


def test_the_ecg_is_case_0_of_the_attention_kernels() -> None:
    inputs, _ = generate(_spec("mhsa", data="ecg"))
    plain, _ = generate(_spec("mhsa"))
    assert [case.value_class for case in inputs.cases] == ["ecg", *CLASSES[1:]]
    assert inputs.cases[1:] == plain.cases[1:]
    rows = _array(inputs.cases[0].operand("input"))
    assert (rows[1:, :-3] == rows[:-1, 3:]).all()  # stride 3
    with pytest.raises(GoldenError, match="add has no data source ecg"):
        generate(_spec("add", data="ecg"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel": "nothing"}, "no golden model named nothing"),
        ({"kernel": "generate"}, "no golden model named generate"),
        ({"kernel": "../x"}, "no golden model named"),
        ({"seed": -1}, "seed must be"),
        ({"shape": {**SHAPE, "S": 0}}, "S must be an integer 1..65535, not 0"),
        ({"shape": {"S": 1}}, "E must be an integer"),
        ({"shape": {**SHAPE, "Q": 1}}, "unknown dimension Q"),
        ({"data": "eeg"}, "no data source eeg"),
        ({"classes": ["extremes"]}, "first entry is random"),
        ({"classes": ["random", "none"]}, "unknown class none"),
        ({"numerics": {"rounding": "even"}}, "rounding must be one of floor, half_up"),
        ({"numerics": {"per_channel": 1}}, "per_channel must be one of False, True"),
        ({"numerics": {"bits": 4}}, "unknown name bits"),
        ({"extra": 1}, "must have the fields"),
    ],
)
def test_bad_specifications_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(GoldenError, match=message):
        generate(_spec(**{"kernel": "linear_qk", **changes}))


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(tmp_path / name) for name in ("spec.json", "inputs.bin", "golden.bin")]
    Path(paths[0]).write_text(json.dumps(_spec("linear_v")))
    assert generate_main(paths) == 0
    inputs, golden = generate(_spec("linear_v"))
    assert read_container(Path(paths[1]).read_bytes()) == inputs
    assert read_container(Path(paths[2]).read_bytes()) == golden
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "golden.bin",
        "inputs.bin",
        "spec.json",
    ]
    Path(paths[0]).write_text(json.dumps(_spec("linear_v", seed=-1)))
    assert generate_main(paths) == 2
    Path(paths[0]).write_text("{")
    assert generate_main(paths) == 2
    assert generate_main(paths[:2]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "golden.generate: seed must be an integer from 0 on, not -1"
    assert len(lines) == 3


def test_vectors_need_no_pywavelets_and_no_yaml() -> None:
    program = (
        "import sys; from golden.generate import generate; import json;"
        "generate(json.loads(sys.argv[1]));"
        "assert not {'pywt', 'yaml', 'scipy'} & set(sys.modules)"
    )
    path = [str(ROOT / "site_scons"), str(ROOT)]
    program = f"import sys; sys.path[:0] = {path!r}; {program}"
    subprocess.run([sys.executable, "-c", program, json.dumps(_spec("mhsa"))], check=True)
