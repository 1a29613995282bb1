# SPDX-License-Identifier: Apache-2.0
"""Mutants of the golden models: caught by the committed digests and by the float references?"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from touchstone.fuzz import Draw
from touchstone.mutation.arguments import Argument
from touchstone.mutation.syntax import OPERATORS, Edit, apply, edits

SECONDS = 120.0
# Everything that an output is computed with.
MODELS = (
    "add",
    "attention_context",
    "attention_scores",
    "encoder_block",
    "ffn",
    "fwsa",
    "gelu",
    "layernorm",
    "linear_o",
    "linear_qk",
    "linear_v",
    "mhsa",
    "mhsa_fwsa",
    "requant",
    "softmax",
    "softmax_table",
)


@dataclass(frozen=True)
class GoldenResult:
    """By what a mutant was caught; None: not by that."""

    edit: Edit
    digests: str | None
    references: str | None
    equivalent: str | None = None
    """Why it changes nothing."""

    @property
    def outcome(self) -> str:
        """One word for the list."""
        both = (self.digests is not None, self.references is not None)
        words = {
            (True, True): "caught by both",
            (True, False): "caught by digests",
            (False, True): "caught by references",
        }
        nothing = "SURVIVED" if self.equivalent is None else "equivalent"
        return words.get(both, nothing)


def drawn(root: Path, seed: int, number: int) -> list[Edit]:
    """`number` edits in the seed's order; the models take turns."""
    queues = []
    for module in MODELS:
        found = edits(module, (root / "golden" / f"{module}.py").read_text(encoding="utf-8"))
        ranked = sorted(found, key=lambda edit: _rank(seed, edit))
        kinds = [[edit for edit in ranked if edit.operator == name] for name in OPERATORS]
        queues.append(_in_turns(kinds))
    return _in_turns(queues)[:number]


def _in_turns(queues: Sequence[Sequence[Edit]]) -> list[Edit]:
    """The first of each, the second of each, ..."""
    return [edit for turn in zip_longest(*queues) for edit in turn if edit is not None]


def _rank(seed: int, edit: Edit) -> int:
    return Draw(f"golden/{seed}/{edit}/{edit.operator}").below(1 << 62)


def check_edit(root: Path, edit: Edit | None) -> tuple[str | None, str | None]:
    """What digests and references say of the models with an edit, None: as they are."""
    words = [sys.executable, "-m", "touchstone.mutation.golden_checks"]
    source = ""
    if edit is not None:
        words.append(edit.module)
        path = root / "golden" / f"{edit.module}.py"
        source = ast.unparse(apply(edit, path.read_text(encoding="utf-8")))
    environment = {"PYTHONPATH": f"{root / 'site_scons'}:{root}", "OPENBLAS_NUM_THREADS": "1"}
    try:
        ran = subprocess.run(
            words, input=source, text=True, cwd=root, env=environment, timeout=SECONDS,
            capture_output=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return (f"no end within {SECONDS:g} s",) * 2
    if ran.returncode != 0:
        return (f"status {ran.returncode}",) * 2
    found = json.loads(ran.stdout)
    return found["digests"], found["references"]


def try_edits(
    root: Path,
    found: Sequence[Edit],
    arguments: Mapping[str, Argument],
    jobs: int,
    say: Callable[[GoldenResult], None],
) -> list[GoldenResult]:
    """Check each edit, in order."""
    results = []
    with ThreadPoolExecutor(jobs) as pool:
        for edit, said in zip(found, pool.map(lambda e: check_edit(root, e), found), strict=True):
            argument = arguments.get(str(edit))
            because = None if argument is None else argument.because
            results.append(GoldenResult(edit, *said, because))
            say(results[-1])
    return results
