# SPDX-License-Identifier: Apache-2.0
"""`./scons peers`: other libraries' attention beside ours, on the same simulator.

./scons peers cmsis_nn=DIR [pulp_nn=DIR] [target=...] [toolchain=...] [S=... E=... P=... H=...]
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from touchstone import app, nested
from touchstone.errors import UserError, unknown
from touchstone.files import write_atomically
from touchstone.graph import BUILD, COMMON_SOURCES, CellPlan, plan_graph
from touchstone.manifest import Catalogue, Target
from touchstone.peers.compositions import PEERS, Peer, check_checkout
from touchstone.peers.firmware import Job, Workshop
from touchstone.peers.measure import measure
from touchstone.peers.report import Comparison, Row, terminal, write_reports
from touchstone.plan import PlannedCell
from touchstone.process import ProcessRegistry
from touchstone.toolchains import gnu
from touchstone.toolchains.registry import TOOLCHAINS, Programs

SELECTION = ("target", "toolchain", "S", "E", "P", "H")
# The table of accurate exponentials: CMSIS-NN's softmax is one, so that both compute the same.
MATRIX_TEXT = """\
schema: 1
defaults:
  seed: 42
  numerics: {{rounding: {rounding}, per_channel: false, softmax: accurate}}
cells:
  - name: the paper's shapes and a larger one
    kernels: [mhsa, softmax]
    shapes:
      - {{S: 81, E: 32, P: 32, H: 8}}
      - {{S: 4, E: 32, P: 32, H: 8}}
      - {{S: 66, E: 16, P: 2, H: 8}}
      - {{S: 128, E: 64, P: 64, H: 8}}
"""


def peers(root: Path, arguments: Mapping[str, str]) -> int:
    """Measure and print; status 1 where a composition or one of our cells is not right."""
    for name in arguments:
        if name not in (*PEERS, *SELECTION):
            raise UserError(unknown("peers: variable", name, (*PEERS, *SELECTION)))
    checkouts = {name: Path(arguments[name]).resolve() for name in PEERS if name in arguments}
    if not checkouts:
        wanted = " or ".join(f"{name}=DIR" for name in PEERS)
        raise UserError(f"peers: found no checkout, allowed {wanted}")
    for name, folder in checkouts.items():
        check_checkout(PEERS[name], folder)
    selection = {name: arguments[name] for name in SELECTION if name in arguments}
    shop = Workshop(root, checkouts, Programs(root / BUILD), ProcessRegistry())
    rows = [row for name in checkouts for row in _rows(shop, PEERS[name], selection)]
    if not rows:
        raise UserError("peers: nothing to compare: no selected target runs any of these libraries")
    comparison = Comparison(tuple(rows))
    write_reports(root / app.REPORT, comparison)
    print(terminal(comparison))
    return comparison.exit_status


def _rows(shop: Workshop, peer: Peer, selection: Mapping[str, str]) -> Iterator[Row]:
    matrix = f"{BUILD}/peers/{peer.name}.yaml"
    text = MATRIX_TEXT.format(rounding=peer.rounding)
    write_atomically(shop.root / matrix, text.encode("ascii"))
    words = {**selection, "config": matrix}
    targets = _targets(shop, peer, words)
    for toolchain in _toolchains(selection, targets):
        words["toolchain"] = toolchain
        words["target"] = ",".join(target.name for target in targets)
        yield from _compiled(shop, peer, words)


def _compiled(shop: Workshop, peer: Peer, words: Mapping[str, str]) -> Iterator[Row]:
    """The rows of one compiler, after our own cells have been built with it."""
    plans = _plans(shop.root, words)
    results = nested.build_cells(shop.root, words, "peers")
    ours = {plan.cell.id: results.get(plan.cell.id, {}) for plan in plans}
    softmax = {_place(plan): ours[plan.cell.id] for plan in plans if _is(plan, "softmax")}
    for plan in plans:
        for composition in peer.compositions if _is(plan, "mhsa") else ():
            print(f"{plan.cell.id} {plan.cell.toolchain}: {composition.name}", flush=True)
            jobs = [Job(composition, plan, with_softmax) for with_softmax in (True, False)]
            whole, rest = (measure(shop, job) for job in jobs)
            our, our_softmax = ours[plan.cell.id], softmax.get(_place(plan), {})
            yield Row(plan.cell.id, plan.cell.toolchain, composition, whole, rest, our, our_softmax)


def _is(plan: CellPlan, kernel: str) -> bool:
    return plan.cell.kernel.name == kernel


def _place(plan: CellPlan) -> tuple[object, ...]:
    return plan.cell.target.name, plan.cell.shape, plan.cell.cores


def _plans(root: Path, words: Mapping[str, str]) -> list[CellPlan]:
    catalogue, cells = _plan(root, words)
    common = tuple(
        f"{COMMON_SOURCES}/{path.name}" for path in sorted((root / COMMON_SOURCES).glob("*.c"))
    )
    return plan_graph(catalogue, cells, common)


def _plan(root: Path, words: Mapping[str, str]) -> tuple[Catalogue, Sequence[PlannedCell]]:
    _, catalogue, cells = app.plan_request(root, {**words, "config": str(root / words["config"])})
    return catalogue, cells


def _targets(shop: Workshop, peer: Peer, words: Mapping[str, str]) -> list[Target]:
    """The selected targets that the library is written for."""
    catalogue, cells = _plan(shop.root, words)
    chosen = {planned.cell.target.name for planned in cells}
    targets = catalogue.targets.values()
    return [target for target in targets if target.name in chosen and peer.isa in target.isas]


def _toolchains(selection: Mapping[str, str], targets: Sequence[Target]) -> list[str]:
    """The toolchain that was asked for, or every one that is installed."""
    if not targets:
        return []
    if "toolchain" in selection:
        return [selection["toolchain"]]
    gcc = [gnu.program(target.toolchain("gnu").options) for target in targets]
    here = {"llvm": True, "gnu": all(map(shutil.which, gcc))}
    return [name for name in TOOLCHAINS if here.get(name, False)]
