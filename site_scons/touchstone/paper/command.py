# SPDX-License-Identifier: Apache-2.0
"""`./scons paper`: every claim of the paper and ours beside it.

./scons paper [target=...] [cmsis_nn=DIR] [pulp_nn=DIR]

Without a checkout, the peers' rows are those of the last ./scons peers in this tree, if there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchstone import app, nested
from touchstone.errors import UserError, unknown
from touchstone.files import read_json, write_atomically
from touchstone.manifest import load_catalogue
from touchstone.paper import networks
from touchstone.paper.measured import Measured
from touchstone.paper.render import html, markdown, terminal
from touchstone.peers.command import peers
from touchstone.peers.compositions import PEERS

MATRIX = "configs/paper.yaml"
SELECTION = ("target", "toolchain")


def paper(root: Path, arguments: Mapping[str, str]) -> int:
    """Measure and print; status 1 where a cell did not pass, or a peer is not right."""
    for name in arguments:
        if name not in (*SELECTION, *PEERS):
            raise UserError(unknown("paper: variable", name, (*SELECTION, *PEERS)))
    selection = {name: arguments[name] for name in SELECTION if name in arguments}
    checkouts = {name: arguments[name] for name in PEERS if name in arguments}
    words = {**selection, "config": MATRIX}
    # Bad words end here, before anything takes time.
    app.plan_request(root, {**words, "config": str(root / MATRIX)})
    status = peers(root, {**selection, **checkouts}) if checkouts else 0
    cells = nested.build_cells(root, words, "paper")
    measured = Measured(tuple(cells.values()), _clocks(root), _peers(root))
    folder = root / app.REPORT
    ended, found = networks.measure_networks(root, selection)
    whole = f"## {networks.TITLE}\n\n{networks.render(found, 'github')}\n"
    text = f"{markdown(measured)}\n{whole}"
    write_atomically(folder / "paper.md", text.encode("utf-8"))
    page = html(measured, networks.section(found))
    write_atomically(folder / "paper.html", page.encode("utf-8"))
    print(f"{terminal(measured)}\n\n{networks.TITLE}\n\n{networks.render(found, 'simple')}")
    return max(status, ended, _status(measured))


def _status(measured: Measured) -> int:
    """What does not fit is said in the table; anything else that did not pass is a failure."""
    bad = [cell for cell in measured.cells if cell["status"] not in ("PASS", "SKIP")]
    return int(bool(bad) or not measured.passed())


def _clocks(root: Path) -> dict[str, int]:
    targets = load_catalogue(root, root / app.YAML_CACHE).targets
    return {name: int(target.clock_hz) for name, target in targets.items()}


def _peers(root: Path) -> tuple[Mapping[str, Any], ...]:
    document = read_json(root / app.REPORT / "peers.json")
    return tuple(document["rows"]) if isinstance(document, dict) else ()
