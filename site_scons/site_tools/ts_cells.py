# SPDX-License-Identifier: Apache-2.0
"""Cells: simulate an image, hold the run against the golden outputs, gate the build on it.

    env.TouchstoneRun(CELL/cell.run, [firmware.load, inputs, Value(run spec), (simulator, (costs))])
    env.TouchstoneVerdict(CELL/verdict.json, [cell.run, golden.bin, Value(check spec)])
    env.TouchstoneGate(name, verdicts)

CELL is a cell's folder, build/cells/ID. (An override such as TS_CELL=ID would cost a null build of
500 cells a twentieth: SCons makes an environment for each call that has one.)

Construction variables, none of which has to be there: TS_JUDGE(cell, verdict) -> verdict makes of a
verdict what it counts as; TS_RETRIES, how often a cell is simulated anew after an infrastructure
error; TS_STOP(), called at the first failure, ends the build.

A run that did not complete is kept (the verdict needs it) but never cached; a verdict always
succeeds and is never cached; the gate fails unless every verdict is PASS.
"""

import json
from pathlib import Path

from SCons.Builder import Builder

from site_tools_common import stage_action
from touchstone import stages
from touchstone.files import read_json
from touchstone.graph import CELLS
from touchstone.results import FINE
from touchstone.simulators.base import RunStatus
from touchstone.simulators.registry import EMBEDDED, EXTERNAL, external_of, find_external


def _cell(target):
    """The id of the cell whose file `target` is."""
    folder = str(target[0].dir)
    return folder.removeprefix(f"{CELLS}/")


def _run(target, source, env):
    session = env["TS_SESSION"]
    spec = json.loads(source[2].read())
    cell = _cell(target)
    session.note_simulated(cell)
    result = stages.make_run(
        Path(str(target[0])),
        Path(str(source[0])),
        Path(str(source[1])),
        _simulator_files(spec, source[3:], env),
        spec,
        session.registry,
        env["TS_ROOT"] / "build" / "tmp",
        retries=env.get("TS_RETRIES", 0),
        note_retry=lambda reason: session.note_retry(cell, reason),
        executor=env.get("TS_EXECUTOR"),
    )
    if result.status is not RunStatus.COMPLETED:
        # Asked when the cache would be filled, which is after the action.
        target[0].set_nocache()


def _simulator_files(spec, built, env):
    """The adapter's files: what the graph built, and what of the machine it needs besides."""
    name = spec["simulator"]
    if name in EXTERNAL:
        external = external_of(name, spec["settings"]["options"])
        return [Path(find_external(external) or ""), env["TS_ROOT"] / "build"]
    files = [Path(str(node)).absolute() for node in built]
    return [*files, env["TS_UNICORN"]] if EMBEDDED[name].needs_costs else files


def _verdict(target, source, env):
    document = stages.make_verdict(
        Path(str(target[0])),
        Path(str(source[0])),
        Path(str(source[1])),
        json.loads(source[2].read()),
    )
    session, cell = env["TS_SESSION"], _cell(target)
    status = _judged(env, cell, document)
    session.note_checked(cell, status, document.get("cycles"))
    if env.get("TS_STOP") and status not in FINE and session.note_stop(cell):
        raise stages.StageError(f"{status}: the first failure ends this command (fail_fast=1)")


def _judged(env, cell, verdict):
    """The status of a verdict as it counts."""
    judge = env.get("TS_JUDGE")
    return (judge(cell, verdict) if judge else verdict)["status"]


def _gate(target, source, env):
    nothing = {"status": "NO_OUTPUT"}
    bad = sum(
        _judged(env, _cell([node]), read_json(Path(str(node))) or nothing) not in FINE
        for node in source
    )
    if bad:
        raise stages.StageError(f"{bad} of {len(source)} cells did not pass")


def generate(env):
    """Called by SCons: adds this tool to `env`."""
    env["BUILDERS"]["TouchstoneRun"] = Builder(action=stage_action(_run, "simulate", quiet=True))
    env["BUILDERS"]["TouchstoneVerdict"] = Builder(
        action=stage_action(_verdict, "check", quiet=True)
    )
    env["BUILDERS"]["TouchstoneGate"] = Builder(action=stage_action(_gate, "gate", quiet=True))


def exists(env):
    """Called by SCons: whether the tool can be used here."""
    return True
