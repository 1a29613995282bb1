# SPDX-License-Identifier: Apache-2.0
"""`./scons describe`: a network before anything is built or run."""

from __future__ import annotations

from typing import Any

from tabulate import tabulate

from touchstone.errors import UserError
from touchstone.manifest import Catalogue, Target
from touchstone.network.deploy import Deployment, deploy
from touchstone.network.model import Described, Model


def describe_model(model: Described, network: Any, catalogue: Catalogue) -> str:
    """Layers, parameters, MACs, memory and estimated energy."""
    made = [
        deploy(network, target, catalogue, model.depth_first)
        for target in catalogue.targets.values()
    ]
    macs = ", ".join(f"{name} {count:,}" for name, count in model.macs().items())
    parts = [
        f"{model.name}: {model.summary}",
        f"{model.parameters:,} parameters, {model.total_macs:,} MACs ({macs})",
        _layers(made),
        _targets(model, made),
    ]
    if isinstance(model, Model) and model.attention == "fwsa":
        parts.append(_fusion(model))
    return "\n\n".join(parts)


def _fusion(model: Model) -> str:
    """What fusing query and key weights offline and making int8 of them costs."""
    # Imported here: golden models need numpy.
    from golden.network.models import read_model
    from golden.network.report import fusion_noise

    described = read_model(model.path)
    noise = fusion_noise(described.float_network(), described.per_channel)
    lines = [
        f"  blocks.{block}: {', '.join(f'{value:.1f}' for value in heads)}"
        for block, heads in enumerate(noise)
    ]
    return "\n".join(["fused query and key weights over their error as int8, dB by head:", *lines])


def _layers(made: list[Deployment]) -> str:
    rows = []
    for number, layer in enumerate(made[0].network.layers):
        size = "x".join(str(length) for length in layer.output)
        count = sum(array.nbytes for array in layer.weights.values())
        functions = [one.calls[number].function.removeprefix("ts_") for one in made]
        rows.append([layer.name, size, f"{count:,}", *functions])
    headers = ["layer", "output", "weights B", *(one.target.name for one in made)]
    return str(tabulate(rows, headers, disable_numparse=True, colalign=("left", "right", "right")))


def _targets(model: Described, made: list[Deployment]) -> str:
    rows = [
        [
            one.target.name,
            f"{one.weight_bytes:,}",
            f"{one.arena.bytes:,}",
            f"{one.alive_bytes:,}",
            f"{least_microjoules(model, one.target):.2f}",
        ]
        for one in made
    ]
    headers = ["target", "packed weights B", "arena B", "alive at once B", "energy uJ, at least"]
    return str(tabulate(rows, headers, disable_numparse=True, colalign=("left", *["right"] * 4)))


def least_microjoules(model: Described, target: Target) -> float:
    """The energy of the MACs alone at the peak rate of all cores: no run can need less."""
    peak = target.peak.get("dot8")
    if not peak:
        raise UserError(f"{target.where}: peak: found no dot8, allowed its MACs per cycle")
    cycles = model.total_macs / (peak * target.max_cores)
    return cycles / target.clock_hz * target.active_milliwatts * 1000
