# SPDX-License-Identifier: Apache-2.0
"""Turns a planned graph (touchstone.graph) into SCons nodes, each shared part once.

    verdicts = env.TouchstoneMatrix(plans)       # {cell id: verdict node}

Construction variables besides those of the other tools: TS_STAMPS (touchstone.stamps.Stamps), the
fingerprints of the stages' Python.
"""

import os
from functools import partial

import SCons.Node
import SCons.Node.FS

from touchstone import nodes
from touchstone.known import in_trees
from touchstone.runfile import read_status
from touchstone.simulators.base import RunStatus
from touchstone.simulators.registry import EMBEDDED
from touchstone.toolchains import llvm


class _Matrix:
    """Makes nodes; remembers those that cells share.

    Builders get nodes, not names: SCons would look for variables in each name.
    """

    def __init__(self, env):
        self._env = env
        # From the project's folder, whatever SConscript file is being read.
        self._file = partial(env.fs.File, directory=env.fs.Top)
        self._stamps = env["TS_STAMPS"]
        self._made = {}

    def _once(self, key, make):
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _files(self, names):
        return [self._once(("file", name), lambda name=name: self._file(name)) for name in names]

    def verdict(self, plan):
        env = self._env
        run = self._run(plan)
        spec = env.Value(self._stamps.check_spec(plan))
        source = [run, self._vectors(plan.packed.vectors)[1], spec]
        verdict = env.TouchstoneVerdict(self._file(plan.verdict), source)
        env.NoCache(verdict)
        if not nodes.passed_before(env["TS_ROOT"] / plan.verdict):
            env.AlwaysBuild(verdict)
            # A run behind a PASS was complete.
            if read_status(env["TS_ROOT"] / plan.run) not in (None, RunStatus.COMPLETED):
                env.AlwaysBuild(run)
        return verdict[0]

    def _run(self, plan):
        env = self._env
        source = [
            self._loadable(plan.firmware),
            self._inputs(plan.packed),
            env.Value(self._stamps.run_spec(plan)),
        ]
        if plan.cell.simulator in EMBEDDED:
            source.append(self._simulator(plan.cell.simulator))
        if nodes.needs_costs(plan):
            source.append(self._costs(plan.firmware))
        return env.TouchstoneRun(self._file(plan.run), source)[0]

    def _vectors(self, vectors):
        def make():
            env = self._env
            targets = [self._file(vectors.path(name)) for name in ("inputs.bin", "golden.bin")]
            made = env.TouchstoneVectors(targets, env.Value(vectors.spec))
            env.Depends(made, env.Value(self._stamps.vectors_stage(vectors.kernel.golden)))
            return made

        return self._once(vectors.directory, make)

    def _inputs(self, packed):
        def make():
            env = self._env
            plain = self._vectors(packed.vectors)[0]
            if not packed.packers:
                return plain
            target = self._file(packed.inputs)
            made = env.TouchstonePack(target, plain, TS_PACKERS=packed.packers)
            env.Depends(made, env.Value(self._stamps.packers_stage(packed.packers)))
            return made[0]

        return self._once(packed.inputs, make)

    def _source(self, plan):
        def make():
            env = self._env
            target = self._file(plan.compiled)
            made = env.TouchstoneAssembly(target, [], TS_GENERATOR=plan.generator)
            env.Depends(made, self._files(self._stamps.generator_modules(plan.generator)))
            return made[0]

        if plan.generator is None:
            return self._file(plan.source)
        return self._once(plan.compiled, make)

    def _object(self, plan):
        def make():
            env = self._env
            words, program = nodes.compile_words(plan), nodes.commands(plan.compiler).program
            made = env.TouchstoneObject(
                self._file(plan.object),
                self._source(plan),
                TS_PROGRAM=program,
                TS_WORDS=words,
            )
            env.Depends(made, env.Value(env["TS_PROGRAMS"].stamp(program, words)))
            return made[0]

        return self._once(plan.object, make)

    def _loadable(self, firmware):
        def make():
            env = self._env
            layout = env.TouchstoneLayout(
                self._file(firmware.path("layout.ld")), env.Value(nodes.layout(firmware))
            )
            words, tail = nodes.link_words(firmware)
            program = nodes.commands(firmware.compiler).program
            elf = env.TouchstoneFirmware(
                self._file(firmware.path("firmware.elf")),
                [self._object(plan) for plan in firmware.objects],
                TS_PROGRAM=program,
                TS_WORDS=words,
                TS_TAIL=tail,
            )
            env.Depends(elf, [layout, self._file(firmware.linker_script)])
            env.Depends(elf, env.Value(env["TS_PROGRAMS"].stamp(program, [*words, *tail])))
            names = ("firmware.load", "firmware.json")
            targets = [self._file(firmware.path(name)) for name in names]
            made = env.TouchstoneLoadable(targets, elf)
            env.Depends(made, self._files(self._stamps.loadable_modules()))
            return made[0]

        return self._once(firmware.directory, make)

    def _costs(self, firmware):
        def make():
            env = self._env
            source = [self._loadable(firmware), env.Value(firmware.compiler.target.isas[0])]
            made = env.TouchstoneCosts(self._file(firmware.path("firmware.costs")), source)
            env.Depends(made, self._files(self._stamps.costs_modules()))
            return made[0]

        return self._once(firmware.path("firmware.costs"), make)

    def _simulator(self, name):
        def make():
            env = self._env
            plan = nodes.simulator_program(env["TS_ROOT"], name, env["TS_SUPPORT"])
            made = env.TouchstoneHostProgram(
                self._file(plan.program),
                [self._file(source) for source in plan.sources],
                TS_PROGRAM=llvm.PROGRAM,
                TS_WORDS=plan.words,
                TS_TAIL=plan.tail,
            )
            words = [*plan.words, *plan.tail]
            env.Depends(made, env.Value(env["TS_PROGRAMS"].stamp(llvm.PROGRAM, words)))
            return made[0]

        return self._once(f"simulator {name}", make)


def _matrix(env, plans):
    matrix = _Matrix(env)
    verdicts = {plan.cell.id: matrix.verdict(plan) for plan in plans if plan.planned.skip is None}
    _distrust_changed_files(env, verdicts.values())
    known = {**env["TS_PROGRAMS"].fingerprints(), **env["TS_STAMPS"].fingerprints()}
    for name, stamp in known.items():
        env["TS_SESSION"].note_stamp(name, stamp)
    return verdicts


def _derived(env, nodes):
    """All files that are made for `nodes`, as lists of what one action makes.

    To be asked before the build: SCons forgets who made a file as soon as it is up to date.
    """
    todo, seen, found = list(nodes), set(), []
    while todo:
        node = todo.pop()
        if node in seen or not node.has_builder():
            continue
        targets = node.get_executor().get_all_targets()
        seen.update(targets)
        todo += [*node.sources, *node.depends]
        found.append(targets)
    return found


def _distrust_changed_files(env, nodes):
    """Files that are not as SCons last made them are made again.

    SCons compares what a file is made from, never the file. A killed build leaves new files and
    old notes: undo the edit, and those files would pass for the ones that the notes are about.
    """
    for targets in _derived(env, nodes):
        if any(target.exists() and _changed(target) for target in targets):
            env.AlwaysBuild(targets)


def _changed(node):
    known = getattr(node.get_stored_info().ninfo, "csig", None)
    return node.get_csig() != known


def _confirmed(env, node):
    """Whether a verdict was made or found up to date by this build; None has no verdict."""
    return node is not None and node.get_state() in (SCons.Node.executed, SCons.Node.up_to_date)


def _signatures(env, derived):
    """{path: content signature} of `derived` files and their sources, as this build knows them.

    Sources in the checkout's own folders are left out (touchstone.known hashes these whole). None
    where something lies outside of the project: its path says nothing to another build.
    """
    made = {node for targets in derived for node in targets}
    needed = {
        source
        for node in made
        for source in [*node.sources, *(node.depends or ()), *(node.implicit or ())]
        if isinstance(source, SCons.Node.FS.File)
    }
    paths = {str(node): node for node in made | needed}
    if any(os.path.isabs(path) for path in paths):
        return None
    return {
        path: node.get_csig() for path, node in paths.items() if node in made or not in_trees(path)
    }


def generate(env):
    """Called by SCons: adds this tool to `env`."""
    env.AddMethod(_derived, "TouchstoneDerived")
    env.AddMethod(_signatures, "TouchstoneSignatures")
    env.AddMethod(_matrix, "TouchstoneMatrix")
    env.AddMethod(_confirmed, "TouchstoneConfirmed")


def exists(env):
    """Called by SCons: whether the tool can be used here."""
    return True
