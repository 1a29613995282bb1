# SPDX-License-Identifier: Apache-2.0
"""Command line: python -m golden.digests --check | --write.

tests/data/golden_digests.json holds the SHA-256 of inputs and golden outputs of a few shapes of
every operation, so that no change of a golden model or generator goes unseen. --write regenerates
it (after an intended change), --check prints what differs and exits with status 1.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from golden.generate import generate, write_file
from golden.value_classes import CLASSES
from touchstone.vectors import write_container

DIGESTS = Path(__file__).resolve().parent.parent / "tests" / "data" / "golden_digests.json"
KERNELS = (
    "linear_qk",
    "linear_v",
    "linear_o",
    "attention_scores",
    "attention_context",
    "softmax",
    "fwsa",
    "mhsa",
    "mhsa_fwsa",
    "layernorm",
    "gelu",
    "add",
    "ffn",
    "encoder_block",
)
_WITH_F = ("ffn", "encoder_block")
_ECG_KERNELS = ("mhsa", "mhsa_fwsa")

# (S, E, P, H), rounding, per channel, softmax, gelu, data
_POINTS: tuple[tuple[tuple[int, int, int, int], str, bool, str, str, str], ...] = (
    ((81, 32, 32, 8), "floor", False, "authors", "i_gelu", "random"),
    ((17, 7, 3, 2), "half_up", True, "accurate", "accurate", "random"),
    ((5, 32, 2, 1), "floor", True, "wide", "i_gelu", "random"),
    ((66, 16, 2, 8), "floor", False, "authors", "i_gelu", "ecg"),
)


def compute() -> dict[str, dict[str, str]]:
    """Digests of all points: name -> {"inputs", "golden"}."""
    digests = {}
    for kernel in KERNELS:
        for (s, e, p, h), rounding, per_channel, softmax, gelu, data in _POINTS:
            if data == "ecg" and kernel not in _ECG_KERNELS:
                continue
            f = 2 * e + 3 if kernel in _WITH_F else 0
            numerics = {
                "rounding": rounding,
                "per_channel": per_channel,
                "softmax": softmax,
                "gelu": gelu,
            }
            spec = {
                "kernel": kernel,
                "shape": {"S": s, "E": e, "P": p, "H": h, "F": f},
                "seed": 1,
                "numerics": numerics,
                "data": data,
                "classes": list(CLASSES),
            }
            inputs, golden = (write_container(part) for part in generate(spec))
            digests[f"{kernel}/S{s}-E{e}-P{p}-H{h}/{data}"] = {
                "inputs": hashlib.sha256(inputs).hexdigest(),
                "golden": hashlib.sha256(golden).hexdigest(),
            }
    return digests


def differences() -> list[str]:
    """One line for every point whose bytes are not the committed ones."""
    committed = json.loads(DIGESTS.read_text(encoding="ascii"))
    current = compute()
    lines = []
    for name in sorted(committed.keys() | current.keys()):
        if name not in committed or name not in current:
            lines.append(f"{name}: only in {'the code' if name in current else DIGESTS.name}")
            continue
        parts = ("inputs", "golden")
        changed = [part for part in parts if committed[name][part] != current[name][part]]
        if changed:
            lines.append(f"{name}: {' and '.join(changed)} changed")
    return lines


def main(arguments: list[str]) -> int:
    """Exit status."""
    if arguments == ["--write"]:
        text = json.dumps(compute(), indent=1, sort_keys=True) + "\n"
        write_file(str(DIGESTS), text.encode("ascii"))
        return 0
    if arguments == ["--check"]:
        lines = differences()
        for line in lines:
            print(line)
        return 1 if lines else 0
    print("usage: python -m golden.digests --check | --write", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
