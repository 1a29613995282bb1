# SPDX-License-Identifier: Apache-2.0
"""`./scons fidelity`: the embedded GAP9 simulator held against GVSOC (target=stm32l4,stm32h7: the
Cortex-M simulators held against each other, cortexm_command.py).

./scons fidelity [kernel=... S=...]      selected cells on both, now
./scons fidelity recorded=1              programs and frozen images against the record
./scons fidelity record=1                makes the record anew, beside GVSOC
./scons fidelity freeze=1 kernel=... S=...   adds frozen images of tuned kernels
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from touchstone import app
from touchstone.errors import UserError, unknown
from touchstone.fidelity import cortexm_command
from touchstone.fidelity.compare import CONFLICTS, Comparison
from touchstone.fidelity.live import SETTING, compare_cells
from touchstone.fidelity.machines import Machines
from touchstone.fidelity.oracle import record, replay
from touchstone.fidelity.report import terminal, write_reports
from touchstone.simulators.registry import EXTERNAL, find_external, require

DEFAULT_TARGET = "gap9"
SELECTION = ("target", "kernel", "variant", "S", "E", "P", "H", "F", "cores", "config", "seed",
             "toolchain", "cflags")  # fmt: skip
MODES = ("recorded", "record", "freeze")


def fidelity(root: Path, arguments: Mapping[str, str]) -> int:
    """Compare and report; status 1 where outputs or cycles are not as they must be."""
    selection = _selection(arguments)
    modes = [name for name in MODES if _switch(arguments, name)]
    if len(modes) > 1:
        raise UserError(f"fidelity: found {' and '.join(modes)}, allowed one of them")
    mode = modes[0] if modes else ""
    if cortexm_command.concerns(arguments):
        return cortexm_command.fidelity(root, selection, mode, arguments)
    conflicts = _conflicts(arguments)
    if mode in ("recorded", "record") and (selection or conflicts):
        raise UserError(f"fidelity: {mode}=1 takes all programs and images, no selection")
    selection = {"target": DEFAULT_TARGET, **selection}
    if mode == "freeze":
        # Imported here: few commands ask for it.
        from touchstone.fidelity.freeze import freeze

        print("\n".join(freeze(root, selection)))
        return 0
    comparison = _compare(root, mode, selection, conflicts, said=len(arguments) > 0)
    write_reports(root / app.REPORT, comparison)
    print(terminal(comparison))
    return comparison.exit_status


def _compare(
    root: Path, mode: str, selection: Mapping[str, str], conflicts: str | None, said: bool
) -> Comparison:
    if mode == "record":
        return record(root, Machines(root))
    missing = find_external(EXTERNAL["gvsoc"]) is None
    if mode == "recorded" or (missing and not said):
        if mode != "recorded":
            print("GVSOC is not installed: this is the recorded comparison, not one of your cells")
        return replay(root, Machines(root))
    # Whoever asks for cells wants to see these, not what was recorded of others.
    require("gvsoc", "fidelity (recorded=1 needs none)")
    return compare_cells(root, selection, conflicts)


def _selection(arguments: Mapping[str, str]) -> dict[str, str]:
    allowed = (*SELECTION, "settings", *MODES)
    for name in arguments:
        if name not in allowed:
            raise UserError(unknown("fidelity: variable", name, allowed))
    return {name: value for name, value in arguments.items() if name in SELECTION}


def _switch(arguments: Mapping[str, str], name: str) -> bool:
    value = arguments.get(name, "0")
    if value not in ("0", "1"):
        raise UserError(f"fidelity: {name}={value}: found {value!r}, allowed 0, 1")
    return value == "1"


def _conflicts(arguments: Mapping[str, str]) -> str | None:
    text = arguments.get("settings")
    if text is None:
        return None
    allowed = {f"{SETTING}:{word}": word for word in CONFLICTS}
    if text not in allowed:
        raise UserError(f"fidelity: settings={text}: allowed {', '.join(allowed)}")
    return allowed[text]
