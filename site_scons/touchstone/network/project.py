# SPDX-License-Identifier: Apache-2.0
"""Networks as a project of generated kernels, which the ordinary build takes from there.

    build/networks/SConstruct, matrix.yaml
    build/networks/kernels/NAME/       kernel.yaml, NAME.h, job.c, one C file a target
    build/networks/golden/             network_NAME.py, .npz, packers/NAME_TARGET.py

A file whose bytes would be the same is not touched, so an edit of one layer's kernel builds and
runs the networks that use it, an edit of a model's description that model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.files import write_atomically
from touchstone.manifest import Catalogue
from touchstone.network import emit
from touchstone.network.deploy import OWN, Deployment, deploy
from touchstone.network.model import Described

FOLDER = "build/networks"
TOOLS = "../../site_scons/site_tools"


def write_project(
    root: Path,
    models: Iterable[tuple[Described, Any]],
    catalogue: Catalogue,
    place: str = FOLDER,
) -> dict[str, list[Deployment]]:
    """Generate the kernels of these networks; what each is on each target.

    `models`: descriptions with their golden.networks.IntegerNetwork.
    """
    folder = root / place
    made: dict[str, list[Deployment]] = {}
    entries = []
    for model, network in models:
        deployments = [
            deploy(network, target, catalogue, model.depth_first)
            for target in catalogue.targets.values()
        ]
        made[model.name] = deployments
        for path, data in _files(model, network, deployments).items():
            _write(folder / path, data)
        entries.append(_entry(model))
    _write(folder / "SConstruct", _SCONSTRUCT.encode("ascii"))
    matrix = {"schema": 1, "cells": entries}
    _write(folder / "matrix.yaml", json.dumps(matrix, indent=1).encode("ascii"))
    return made


_SCONSTRUCT = f'''"""Generated: the networks as kernels of a project of their own."""

env = Environment(tools=["ts_project"], toolpath=["{TOOLS}"])
env.Touchstone(config="matrix.yaml")
'''


def _entry(model: Described) -> dict[str, Any]:
    shape = {"S": model.S, "E": model.E, "P": model.P, "H": model.H}
    shape |= {"F": model.F} if model.F else {}
    return {"name": model.name, "kernels": model.name, "shapes": [shape]}


def _files(model: Described, network: Any, made: Sequence[Deployment]) -> dict[str, bytes]:
    from golden.networks import input_offsets, save, weight_bytes

    name = network.name
    sizes = (input_offsets(network)[1], weight_bytes(network).size)
    variants = [one.target.name for one in made]
    arrays = save(network)
    texts = {
        f"kernels/{name}/kernel.yaml": json.dumps(_manifest(model, network, made, sizes), indent=1),
        f"kernels/{name}/{name}.h": emit.header_file(network, model, variants, sizes),
        f"kernels/{name}/job.c": emit.glue_file(name),
        f"golden/network_{name}.py": _golden(network, arrays),
    }
    for one in made:
        texts[f"kernels/{name}/{name}_{one.target.name}.c"] = emit.source_file(one, model)
        texts[f"golden/packers/{name}_{one.target.name}.py"] = _packer(one)
    return {
        **{path: text.encode("ascii") for path, text in texts.items()},
        f"golden/network_{name}.npz": arrays,
    }


def _manifest(
    model: Described, network: Any, made: Sequence[Deployment], sizes: tuple[int, int]
) -> dict[str, Any]:
    name = network.name
    outputs = 4 * len(network.layers) + _count(network.layers[-1].output)
    return {
        "name": name,
        "summary": model.summary or f"network {name}",
        "header": f"{name}.h",
        "glue": "job.c",
        "golden": f"network_{name}",  # apart from the golden models of kernels
        "macs": str(model.total_macs),
        "elements": str(sizes[0]),
        "peak": "dot8",
        "params": ["trace"],
        "operands": [
            {"name": "input", "role": "activation", "type": "int8", "shape": [str(sizes[0])]},
            {"name": "weights", "role": "weight", "type": "int8", "shape": [str(sizes[1])]},
            {
                "name": "output",
                "role": "output",
                "type": "uint8",
                "shape": [str(outputs)],
                "axes": ["byte"],
            },
        ],
        "layouts": {one.target.name: {"weights": f"{name}_{one.target.name}"} for one in made},
        "variants": [
            {
                "name": one.target.name,
                "isa": one.target.isas[0],
                "sources": [f"{name}_{one.target.name}.c"],
                "uses": one.uses,
                "layout": one.target.name,
                "scratch": str(one.arena.bytes),
            }
            for one in made
        ],
    }


def _count(shape: Sequence[int]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total


def _golden(network: Any, arrays: bytes) -> str:
    kernels = sorted({layer.kernel for layer in network.layers} - set(OWN))
    return f'''# SPDX-License-Identifier: Apache-2.0
"""{network.name}: generated, edits are lost. The layers' models: {", ".join(kernels)}."""

from pathlib import Path

from golden import {", ".join(kernels)}  # noqa: F401  (what the vectors depend on)
from golden import networks

ARRAYS = "{hashlib.sha256(arrays).hexdigest()}"
NETWORK = networks.load(str(Path(__file__).with_suffix(".npz")))


def make_inputs(shape, rng, value_class, numerics, source):
    """Parameters and operands of a case."""
    return networks.make_inputs(NETWORK, rng, value_class)


def golden(shape, params, operands):
    """The output, from parameters and operands alone."""
    return networks.golden(NETWORK, params, operands)
'''


def _packer(made: Deployment) -> str:
    packers = sorted({segment.packer for segment in made.packed} - {""})
    imports = f"from golden.packers import {', '.join(packers)}  # noqa: F401\n" if packers else ""
    return f'''# SPDX-License-Identifier: Apache-2.0
"""Weights of {made.network.name} as {made.target.name}'s kernels want them. Generated."""

from typing import Any

{imports}
SOURCE = {_segments(made.source)}
TARGET = {_segments(made.packed)}


def packed_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Bytes of all arrays."""
    return ({made.weight_bytes},)


def pack(array: Any) -> Any:
    """The arrays in this target's layouts."""
    from golden.networks import Segment, pack_segments

    return pack_segments(
        array, [Segment(*words) for words in SOURCE], [Segment(*words) for words in TARGET]
    )
'''


def _segments(segments: Iterable[Any]) -> str:
    rows = [
        f"    {(s.layer, s.operand, s.offset, s.type, tuple(s.shape), s.packer)!r},"
        for s in segments
    ]
    return "\n".join(["(", *rows, ")"])


def _write(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        write_atomically(path, data)


def layer_of_byte(made: Mapping[str, list[Deployment]], name: str, byte: int) -> str:
    """The layer whose CRC, or output, a byte of the output belongs to."""
    layers = made[name][0].network.layers
    return str(layers[min(byte // 4, len(layers) - 1)].name)
