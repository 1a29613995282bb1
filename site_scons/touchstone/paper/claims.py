# SPDX-License-Identifier: Apache-2.0
"""Each claim of the paper with the figure of ours that stands beside it.

Published: the abstract of arXiv 2404.02945 (the paper) and, for the speed-up over cores, the
spreadsheet beside the code of its predecessor (doi 10.1109/COINS51742.2021.9524173). Where a claim
says neither shape nor baseline, ours names the ones it was taken at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from touchstone.paper.measured import EEG, SHAPES, TR, Cell, Measured, mean, ratio

GAP9 = "gap9"
MISSING = "not measured"


@dataclass(frozen=True)
class Claim:
    """One row of the table."""

    subject: str
    published: str
    ours: str
    at: str


def claims(measured: Measured) -> list[Claim]:
    """The whole table."""
    parts = (
        _peers,
        _gesture_layer,
        _fused_runtime,
        _fused_parameters,
        _depth_first,
        _block,
        _rates,
        _scaling,
    )
    return [claim for part in parts for claim in part(measured)]


def times(value: float | None) -> str:
    """A ratio as text."""
    return MISSING if value is None else f"{value:.2f}x"


def _peers(measured: Measured) -> Iterator[Claim]:
    baselines = {
        "cmsis_nn": ("faster than CMSIS-NN (Cortex-M), mean over layers", "4.79x"),
        "pulp_nn": ("faster than PULP-NN (GAP9), mean over layers", "2.0x"),
    }
    for peer, (subject, published) in baselines.items():
        for kind in ("plain", "best"):
            name = f"{peer}.{kind}"
            rows = [row for row in measured.peers if row["composition"] == name]
            for target, compiler in dict.fromkeys(map(_made_for, rows)):
                chosen = [row for row in rows if _made_for(row) == (target, compiler)]
                for key in ("with_softmax", "without_softmax"):
                    words = f"{name} on {target}, {compiler}, {key.replace('_', ' ')}, mhsa"
                    yield Claim(subject, published, times(_mean_ratio(chosen, key)), words)
        if not any(row["composition"].startswith(f"{peer}.") for row in measured.peers):
            yield Claim(subject, published, MISSING, f"./scons paper {peer}=DIR measures it")


def _made_for(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["cell"].partition("/")[0], row["toolchain"]


def _mean_ratio(rows: Iterable[Mapping[str, Any]], key: str) -> float | None:
    ours = "our_cycles" if key == "with_softmax" else "our_cycles_without_softmax"
    return mean(
        row[key]["cycles"] / row[ours] if row[key]["cycles"] and row[ours] else None for row in rows
    )


def _gesture_layer(measured: Measured) -> Iterator[Claim]:
    """Published for the transformer block; the attention layer is what both libraries have."""
    subject, published = "TR: faster than PULP-NN (GAP9)", "2.32x"
    found = False
    for row in measured.peers:
        target, _, rest = row["cell"].partition("/")
        if target == GAP9 and row["composition"].startswith("pulp_nn.") and TR.words in rest:
            found = True
            cycles = row["with_softmax"]["cycles"]
            value = cycles / row["our_cycles"] if cycles and row["our_cycles"] else None
            words = f"{row['composition']}, {row['cell']}"
            yield Claim(subject, published, times(value), words)
    if not found:
        yield Claim(subject, published, MISSING, "./scons paper pulp_nn=DIR measures it")


def _fused_runtime(measured: Measured) -> Iterator[Claim]:
    for shape in SHAPES:
        for target in measured.targets:
            plain = measured.find(target, "mhsa", shape)
            value = ratio(plain, measured.find(target, "mhsa_fwsa", shape))
            words = f"{target}, mhsa against mhsa_fwsa, {shape.name} {shape.words}"
            yield Claim("FWSA: runtime", "up to 1.53x", times(value), words)


def _fused_parameters(measured: Measured) -> Iterator[Claim]:
    """Weights alone: 4EPH against E^2 H + 2 E P H."""
    for shape in SHAPES:
        plain = 4 * shape.E * shape.P * shape.H
        fused = shape.E * shape.E * shape.H + 2 * shape.E * shape.P * shape.H
        change = 100 * (fused - plain) / plain
        words = f"{shape.name} {shape.words}: {fused} against {plain} weights"
        yield Claim("FWSA: parameters", "-25 %", f"{change:+.0f} %", words)


def _depth_first(measured: Measured) -> Iterator[Claim]:
    subject, published = "DFT: peak of activation memory", "up to 6.19x less"
    whole = _first(measured, "mhsa", variant="layerwise")
    for kernel in ("mhsa_dft", "mhsa_fwsa_dft"):
        for target in measured.targets:
            least = measured.find(target, kernel, EEG, cores=1, order="recompute")
            words = f"{target}, least memory on one core, EEGFormer, {kernel} against whole maps"
            yield Claim(subject, published, _memory(whole, least), words)
            untiled = kernel.removesuffix("_dft")
            fast = measured.find(target, kernel, EEG)
            cost = ratio(fast, measured.find(target, untiled, EEG))
            extra = "" if cost is None else f" at {100 * (cost - 1):+.1f} % cycles of {untiled}"
            words = f"{target}, all cores, EEGFormer, {kernel}{extra}"
            yield Claim(subject, published, _memory(whole, fast), words)


def _first(measured: Measured, kernel: str, variant: str) -> Cell | None:
    found = (measured.find(name, kernel, EEG, variant=variant) for name in measured.targets)
    return next((cell for cell in found if cell is not None), None)


def _memory(whole: Cell | None, tiled: Cell | None) -> str:
    value = ratio(whole, tiled, "activation_bytes")
    if value is None or whole is None or tiled is None:
        return MISSING
    return f"{value:.2f}x ({tiled['activation_bytes']} of {whole['activation_bytes']} B)"


def _block(measured: Measured) -> Iterator[Claim]:
    for target in measured.targets:
        cell = measured.find(target, "encoder_block", TR)
        published = "0.14 ms, 4.92 uJ" if target == GAP9 else "-"
        words = f"{target}, S4-E32-P32-H8, feed-forward 128, at {_megahertz(measured, target)}"
        yield Claim("TR: a transformer block", published, _latency(measured, cell), words)


def _megahertz(measured: Measured, target: str) -> str:
    return f"{measured.clocks[target] / 1e6:.0f} MHz"


def _latency(measured: Measured, cell: Cell | None) -> str:
    time = None if cell is None else measured.milliseconds(cell)
    if cell is None or time is None:
        return MISSING
    energy = "" if cell["energy_uj"] is None else f", {cell['energy_uj']:.2f} uJ"
    return f"{time:.3f} ms{energy} ({cell['cycles']} cycles)"


def _rates(measured: Measured) -> Iterator[Claim]:
    for shape in SHAPES:
        for target in measured.targets:
            cell = measured.find(target, "mhsa", shape)
            rate = MISSING if cell is None else f"{cell['mac_per_cycle']:.3f} MAC/cycle"
            words = f"{target}, mhsa, {shape.name} {shape.words}"
            yield Claim("attention layer", "-", rate, words)


def _scaling(measured: Measured) -> Iterator[Claim]:
    for shape in SHAPES:
        one = measured.find(GAP9, "mhsa", shape, cores=1)
        eight = measured.find(GAP9, "mhsa", shape, cores=8)
        if one is not None or eight is not None:
            words = f"{GAP9}, mhsa, {shape.name} {shape.words}"
            yield Claim("8 cores over 1", "6.29x (GAP8)", times(ratio(one, eight)), words)
