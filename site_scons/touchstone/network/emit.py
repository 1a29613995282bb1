# SPDX-License-Identifier: Apache-2.0
"""The generated C of a network: one file a target, one function a layer, calls of the library."""

from __future__ import annotations

import math
from typing import Any

from touchstone.network.blocks import BLOCK
from touchstone.network.deploy import ARGUMENT_BYTES, Call, Deployment, dimensions

ROUND_HALF_UP, PER_CHANNEL = 1, 2
TABLES = {"softmax_table": "table", "gelu_table": "table", "table": "table"}
C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
}


def identifier(name: str) -> str:
    """A layer's name as one of C."""
    return name.replace(".", "_")


def constant(*parts: str) -> str:
    """A name of an enumeration."""
    return "_".join(identifier(part).upper() for part in parts)


def source_file(made: Deployment, model: Any) -> str:
    """The C file."""
    name = made.network.name
    headers = sorted(
        {f"{call.kernel.folder}/{call.kernel.header}" for call in made.calls if call.kernel}
    )
    parts = [
        "// SPDX-License-Identifier: Apache-2.0",
        _comment(made, model),
        f'#include "{name}.h"',
        *(f'#include "{header}"' for header in headers),
        '#include "ts_network.h"',
        '#include "ts_network_fetch.h"' if made.fetched else None,
        "",
        _enumeration("Inputs, in bytes from the start of the operand `input`.", _inputs(made)),
        _enumeration("Arrays, in bytes from the start of the operand `weights`.", _arrays(made)),
        _enumeration("Tensors and scratch, in bytes from the start of the arena.", _places(made)),
        f"enum {{ ARENA_BYTES = {made.arena.bytes} }};\n",
        *(_function(made, number, call) for number, call in enumerate(made.calls)),
        _main(made),
    ]
    return "\n".join(part for part in parts if part is not None)


def _comment(made: Deployment, model: Any) -> str:
    lines = [
        f"/* {model.name} for {made.target.name}. Generated: edits are lost.",
        " *",
        f" * {model.parameters} float parameters, {model.total_macs} MACs.",
        f" * {made.weight_bytes} bytes of weights in the layouts of these kernels.",
        f" * {made.arena.bytes} bytes of arena; {made.alive_bytes} are alive at once.",
        " *",
    ]
    width = max(len(call.layer.name) for call in made.calls)
    for number, call in enumerate(made.calls):
        size = "x".join(str(length) for length in call.layer.output)
        lines.append(f" *   {number:2}  {call.layer.name:{width}}  {call.function}  -> {size}")
    return "\n".join([*lines, " */"])


def _enumeration(comment: str, values: dict[str, int]) -> str | None:
    if not values:
        return None
    lines = [f"/* {comment} */", "enum {"]
    lines += [f"    {name} = {value}," for name, value in values.items()]
    return "\n".join([*lines, "};\n"])


def _inputs(made: Deployment) -> dict[str, int]:
    from golden.networks import input_offsets

    offsets, _ = input_offsets(made.network)
    return {constant("input", name): offset for name, offset in offsets.items()}


def _arrays(made: Deployment) -> dict[str, int]:
    return {constant("w", s.layer, s.operand): s.offset for s in made.packed}


def _places(made: Deployment) -> dict[str, int]:
    names = sorted(made.arena.offsets, key=lambda name: (made.arena.offsets[name], name))
    return {constant("at", name): made.arena.offsets[name] for name in names}


def tensor(made: Deployment, name: str) -> str:
    """The address of a tensor."""
    if name in made.network.inputs:
        return f"n->input + {constant('input', name)}"
    if name == made.network.layers[-1].name:
        return "n->output"
    return f"n->arena + {constant('at', name)}"


def _array(call: Call, operand: str, kind: str) -> str:
    place = f"weights + {constant('w', call.layer.name, operand)}"
    return place if kind == "int8" else f"(const {C_TYPES[kind]} *)({place})"


def _function(made: Deployment, number: int, call: Call) -> str:
    layer = call.layer
    body = _own(made, call) if call.kernel is None else _kernel_call(made, call)
    head = f"static __attribute__((noinline)) void layer_{number}_{identifier(layer.name)}("
    count = math.prod(layer.output)
    later = made.calls[number + 1].layer.name if number + 1 < len(made.calls) else ""
    # A block may need all counters of the DMA itself.
    alongside = layer.kernel != BLOCK
    lines = [
        f"{head}const ts_team *team,",
        "    const ts_network *n) {",
        *_weights(made, layer),
        *(_fetch(made, later) if alongside else []),
        *body,
        *([] if alongside else _fetch(made, later)),
        *_arrived(made, later),
        f"    ts_network_end_layer(team, n, {number}, {tensor(made, layer.name)}, {count});",
        "}\n",
    ]
    return "\n".join(lines)


def _weights(made: Deployment, layer: Any) -> list[str]:
    """Where the layer reads its arrays."""
    if not layer.weights:
        return []
    where = "n->weights"
    if layer.name in made.fetched:
        where = f"ts_network_near(n, {_first(layer)}, {_copy(layer.name)})"
    return [f"    const int8_t *const weights = {where};"]


def _first(layer: Any) -> str:
    return constant("w", layer.name, next(iter(layer.weights)))


def _copy(name: str) -> str:
    return f"n->arena + {constant('at', f'{name}.weights')}"


def _fetch(made: Deployment, name: str) -> list[str]:
    """Begin to copy the arrays of a layer, if it is one of those; `_arrived` waits."""
    if name not in made.fetched:
        return []
    layer = next(call.layer for call in made.calls if call.layer.name == name)
    words = f"{_first(layer)}, {_copy(name)}, {made.fetched[name][1]}"
    return [f"    const ts_dma_group group = ts_network_fetch(team, n, {words});"]


def _arrived(made: Deployment, name: str) -> list[str]:
    return ["    ts_network_fetched(team, n, group);"] if name in made.fetched else []


def _own(made: Deployment, call: Call) -> list[str]:
    layer = call.layer
    source, output = tensor(made, layer.inputs["input"]), tensor(made, layer.name)
    fields = ", ".join(f".{name} = {value}" for name, value in layer.params.items())
    return [
        f"    const ts_network_windows windows = {{{fields}}};",
        f"    ts_network_patches(team, &windows, {source}, {layer.output[0]}, {output});",
    ]


def _kernel_call(made: Deployment, call: Call) -> list[str]:
    kernel, layer = call.kernel, call.layer
    assert kernel is not None
    place = f"n->arena + {constant('at', f'{layer.name}.scratch')}"
    scratch = place if call.scratch else "NULL"
    fields = [f".shape = {{{dimensions(layer.shape)}}}", *_fields(made, call)]
    fields.append(f".output = {tensor(made, layer.name)}")
    lines = [*(f"        {field}," for field in fields), "    };"]
    if kernel.name != BLOCK:
        lines.insert(0, f"    const {kernel.args} args = {{")
        return [*lines, f"    {call.function}(team, &args, {scratch});"]
    # They would take a third of a small stack; every core writes the same words.
    where = f"n->arena + {constant('at', f'{layer.name}.arguments')}"
    return [
        f"    {kernel.args} *const args = ({kernel.args} *)({where});",
        f'    _Static_assert(sizeof *args <= {ARGUMENT_BYTES}, "their place in the arena");',
        f"    *args = ({kernel.args}){{",
        *lines,
        f"    {call.function}(team, args, {scratch});",
    ]


def _fields(made: Deployment, call: Call) -> list[str]:
    """Members of a kernel's arguments: activations, arrays, requantisations, numbers."""
    kernel, params = call.kernel, call.layer.params
    assert kernel is not None
    whole = kernel.name == BLOCK
    fields = _block_fields(call) if whole else []
    for operand in kernel.operands[:-1]:
        name = operand.name
        if name in call.layer.inputs:
            fields.append(f".{name} = {tensor(made, call.layer.inputs[name])}")
        elif name == "softmax_table":
            entries = _array(call, name, operand.type)
            member = "softmax" if whole else "table"
            fields.append(f".{member} = {{.entries = {entries}, .max = {params['softmax_max']}}}")
        elif whole and name.startswith("norm"):
            continue
        elif name.endswith("_mul"):
            fields.append(_requant(call, name))
        else:
            member = name if whole else TABLES.get(name, name)
            fields.append(f".{member} = {_array(call, name, operand.type)}")
    if kernel.name == "add":
        fields += [f".{name} = {params[name]}" for name in ("a_mul", "b_mul", "shift")]
        fields.append(f".round_half_up = {params['flags'] & ROUND_HALF_UP}")
    if kernel.name == "layernorm":
        fields.append(f".shift = {params['shift']}")
    return fields


def _block_fields(call: Call) -> list[str]:
    """What an encoder block has besides its attention's and its network's: norms and sums."""
    params = call.layer.params
    fields = []
    for norm in ("norm1", "norm2"):
        weight = _array(call, f"{norm}_weight", "int16")
        bias, shift = _array(call, f"{norm}_bias", "int32"), params[f"{norm}_shift"]
        fields.append(f".{norm} = {{.weight = {weight}, .bias = {bias}, .shift = {shift}}}")
    for add in ("add1", "add2"):
        names = ("residual_mul", "layer_mul", "shift")
        words = [f".{name} = {params[f'{add}_{name}']}" for name in names]
        words.append(f".round_half_up = {params[f'{add}_flags'] & ROUND_HALF_UP}")
        fields.append(f".{add} = {{{', '.join(words)}}}")
    return fields


def _requant(call: Call, operand: str) -> str:
    stem, params = operand.removesuffix("_mul"), call.layer.params
    flags = params[f"{stem}_flags"]
    words = [f".mul = {_array(call, operand, 'uint16')}", f".shift = {params[f'{stem}_shift']}"]
    words += [f".per_channel = {int(bool(flags & PER_CHANNEL))}"]
    words += [f".round_half_up = {flags & ROUND_HALF_UP}"]
    return f".{stem} = {{{', '.join(words)}}}"


def _main(made: Deployment) -> str:
    name, variant = made.network.name, made.target.name
    calls = [
        f"    layer_{number}_{identifier(call.layer.name)}(team, n);"
        for number, call in enumerate(made.calls)
    ]
    first = made.calls[0].layer.name
    begins = [*_fetch(made, first), *_arrived(made, first)]
    begins += ["    ts_team_barrier(team);"] if begins else []
    return "\n".join(
        [
            f"uint32_t ts_{name}_{variant}_scratch(const ts_shape *shape, uint32_t cores) {{",
            "    (void)shape;",
            "    (void)cores;",
            "    return ARENA_BYTES;",
            "}\n",
            f"void ts_{name}_{variant}(const ts_team *team, const ts_{name}_args *args, "
            "void *scratch) {",
            "    const ts_network network = {",
            "        .input = args->input,",
            "        .weights = args->weights,",
            "        .arena = scratch,",
            f"        .output = (int8_t *)args->output + {4 * len(made.calls)},",
            "        .crcs = (uint32_t *)args->output,",
            "        .trace = args->trace,",
            "    };",
            "    const ts_network *const n = &network;",
            *begins,
            *calls,
            "}\n",
        ]
    )


def header_file(network: Any, model: Any, variants: list[str], sizes: tuple[int, int]) -> str:
    """The public header."""
    name, guard = network.name, f"TS_{network.name.upper()}_H"
    layers, classes = len(network.layers), math.prod(network.layers[-1].output)
    prototypes = [
        f"ts_{name}_fn ts_{name}_{variant};\nts_scratch_fn ts_{name}_{variant}_scratch;"
        for variant in variants
    ]
    return f"""// SPDX-License-Identifier: Apache-2.0
/* {model.summary or name}. Generated: edits are lost. Calling convention: ts_kernel.h. */
#ifndef {guard}
#define {guard}

#include "ts_kernel.h"

typedef struct {{
    const int8_t *input;   /* [{sizes[0]}] */
    const int8_t *weights; /* [{sizes[1]}], in the variant's layout */
    uint32_t trace;        /* 1: the CRC-32 of every layer's output is made */
    uint8_t *output;       /* {layers} CRC-32 (or zeros), then int8 [{classes}] */
}} ts_{name}_args;

typedef void ts_{name}_fn(const ts_team *team, const ts_{name}_args *args, void *scratch);

ts_{name}_fn ts_{name};
ts_scratch_fn ts_{name}_scratch;
{chr(10).join(prototypes)}

#endif
"""


def glue_file(name: str) -> str:
    """job.c."""
    return f"""// SPDX-License-Identifier: Apache-2.0
/* Glue between the job harness and {name}. Generated: edits are lost. */
#include "{name}.h"
#include "ts_job.h"

enum {{ INPUT, WEIGHTS, OUTPUT }};
enum {{ TRACE }};

void ts_job_run(const ts_team *team, const ts_case *c) {{
    const ts_{name}_args args = {{
        .input = c->operands[INPUT],
        .weights = c->operands[WEIGHTS],
        .trace = c->params[TRACE],
        .output = c->operands[OUTPUT],
    }};
    ts_{name}(team, &args, c->scratch);
}}

uint32_t ts_job_scratch(const ts_shape *shape, uint32_t cores) {{
    return ts_{name}_scratch(shape, cores);
}}
"""
