# SPDX-License-Identifier: Apache-2.0
"""`./scons fidelity target=stm32l4,stm32h7`: the Cortex-M simulators held against each other.

./scons fidelity target=stm32l4,stm32h7 [kernel=... S=...]     selected cells on all, now
./scons fidelity target=... recorded=1                         frozen images against the record
./scons fidelity target=... record=1                           makes the record anew
./scons fidelity target=... freeze=1 kernel=... S=...          adds frozen images
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from touchstone import app
from touchstone.errors import UserError, unknown
from touchstone.fidelity.cortexm_compare import Comparison
from touchstone.fidelity.cortexm_machines import Machines
from touchstone.fidelity.cortexm_oracle import TARGETS
from touchstone.fidelity.cortexm_report import terminal, write_reports


def concerns(arguments: Mapping[str, str]) -> bool:
    """Whether the targets asked for are of this kind; UserError where some are not."""
    words = arguments.get("target", "").split(",")
    ours = [word for word in words if word in TARGETS]
    if ours and len(ours) != len(words):
        other = next(word for word in words if word not in TARGETS)
        raise UserError(f"fidelity: target={arguments['target']}: {other} is compared alone")
    return bool(ours)


def fidelity(
    root: Path, selection: Mapping[str, str], mode: str, arguments: Mapping[str, str]
) -> int:
    """Compare and report; status 1 where anything differs."""
    if "settings" in arguments:
        raise UserError(unknown("fidelity: variable", "settings", ("kernel", "toolchain")))
    if mode in ("recorded", "record") and set(selection) != {"target"}:
        raise UserError(f"fidelity: {mode}=1 takes all frozen images of a target, no selection")
    machines = Machines(root)
    if mode == "freeze":
        # Imported here: few commands ask for it.
        from touchstone.fidelity.cortexm_freeze import freeze

        print("\n".join(freeze(root, selection, machines)))
        return 0
    comparison = _compare(root, mode, selection, machines)
    write_reports(root / app.REPORT, comparison)
    print(terminal(comparison))
    return comparison.exit_status


def _compare(root: Path, mode: str, selection: Mapping[str, str], machines: Machines) -> Comparison:
    # Imported here: each mode needs its own.
    from touchstone.fidelity.cortexm_live import compare_cells
    from touchstone.fidelity.cortexm_oracle import record, replay

    targets = selection["target"].split(",")
    if mode == "record":
        return record(root, targets, machines)
    if mode == "recorded" or (len(machines.present) < 2 and set(selection) == {"target"}):
        if mode != "recorded":
            print("only unicorn is installed: this is the recorded comparison, not your cells")
        return replay(root, targets, machines)
    return compare_cells(root, selection, machines)
