# SPDX-License-Identifier: Apache-2.0
"""`./scons lib [target= kernel= variant= toolchain= cflags=]`: headers and a static archive.

build/lib/TARGET/TOOLCHAIN/ gets include/ (one header an operation, and what they include),
libtouchstone.a (the chosen variant of every operation under the operation's own name, and the
argument checks) and manifest.json (which variants, and the layout that each wants its weights in).
Nothing of the harness is in it; docs/library.md says how to use it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from touchstone import stages
from touchstone.app import YAML_CACHE
from touchstone.config import select_names
from touchstone.errors import UserError, unknown
from touchstone.files import write_atomically, write_json
from touchstone.graph import BUILD, CompilerPlan, ObjectPlan, variant_sources
from touchstone.manifest import ANY_ISA, Catalogue, Kernel, Target, Variant, load_catalogue
from touchstone.nodes import commands
from touchstone.process import ProcessRegistry
from touchstone.request import Request, parse_request
from touchstone.toolchains import llvm
from touchstone.toolchains.registry import Programs

ALLOWED = ("target", "kernel", "variant", "toolchain", "cflags")
ARCHIVE = "libtouchstone.a"
INCLUDE = "kernels/include"
PUBLIC = ("ts_types.h", "ts_kernel.h", "ts_dma.h")
"""What the operations' headers include, and what kernels ask of a firmware."""


@dataclass(frozen=True)
class Library:
    """One archive: a target, its compiler, the variant of every operation."""

    compiler: CompilerPlan
    variants: Mapping[str, Variant]

    @property
    def directory(self) -> str:
        """Where it goes."""
        return self.compiler.directory.replace(f"{BUILD}/firmware/", f"{BUILD}/lib/", 1)


def command(root: Path, arguments: Mapping[str, str]) -> int:
    """Builds one library for every selected target."""
    for name in arguments:
        if name not in ALLOWED:
            raise UserError(unknown("lib: variable", name, ALLOWED))
    catalogue = load_catalogue(root, root / YAML_CACHE)
    builder = _Builder(root, catalogue, Programs(root / BUILD), ProcessRegistry())
    for library in libraries(catalogue, parse_request(arguments)):
        try:
            builder.build(library)
        except stages.StageError as error:
            raise UserError(f"lib: {error}") from None
        names = ", ".join(f"{name}.{variant.name}" for name, variant in library.variants.items())
        print(f"{library.directory}/{ARCHIVE}: {names}")
    return 0


def libraries(catalogue: Catalogue, request: Request) -> list[Library]:
    """What the command line asks for; every selected target has all selected operations."""
    targets = select_names(request.target or ("*",), list(catalogue.targets), "target")
    kernels = select_names(request.kernel or ("*",), list(catalogue.kernels), "kernel")
    names = dict.fromkeys(v.name for k in kernels for v in catalogue.kernels[k].variants)
    select_names(request.variant or ("*",), list(names), "variant")
    found = []
    for name in targets:
        target = catalogue.targets[name]
        toolchain = request.toolchain or target.toolchains[0].name
        found_toolchain = target.toolchain(toolchain).name
        compiler = CompilerPlan(target, found_toolchain, request.cflags, catalogue.support)
        chosen = {k: choose(catalogue.kernels[k], target, request.variant) for k in kernels}
        found.append(Library(compiler, chosen))
    return found


def choose(kernel: Kernel, target: Target, wanted: Sequence[str] | None) -> Variant:
    """The first variant of `wanted` that the target runs, else the target's best."""
    runnable = [v for v in kernel.variants if v.isa in (*target.isas, ANY_ISA)]
    if not runnable:
        raise UserError(f"{kernel.where}: no variant runs on {target.name}")
    for word in wanted or ():
        for variant in runnable:
            if fnmatchcase(variant.name, word):
                return variant
    return runnable[0]


def entry_source(kernel: Kernel, variant: Variant) -> str:
    """C that gives a variant the operation's own name; a tail call, so one branch."""
    name = f"ts_{kernel.name}"
    return f"""/* Generated. */
#include "{kernel.header}"

void {name}(const ts_team *team, const {kernel.args} *args, void *scratch) {{
    {name}_{variant.name}(team, args, scratch);
}}

uint32_t {name}_scratch(const ts_shape *shape, uint32_t cores) {{
    return {name}_{variant.name}_scratch(shape, cores);
}}
"""


def manifest(library: Library, catalogue: Catalogue) -> dict[str, Any]:
    """manifest.json."""
    operations = {}
    for name, variant in library.variants.items():
        kernel = catalogue.kernels[name]
        layout = kernel.layouts[variant.layout] if variant.layout else {}
        operations[name] = {
            "summary": kernel.summary,
            "header": f"{kernel.folder}/{kernel.header}",
            "variant": variant.name,
            "schedule": list(variant.schedule),
            "packers": dict(sorted(layout.items())),
        }
    compiler = library.compiler
    return {
        "schema": 1,
        "target": compiler.target.name,
        "toolchain": compiler.toolchain,
        "flags": list(commands(compiler).compile),
        "archive": ARCHIVE,
        "operations": operations,
    }


@dataclass(frozen=True)
class _Builder:
    root: Path
    catalogue: Catalogue
    programs: Programs
    registry: ProcessRegistry

    def build(self, library: Library) -> None:
        """The whole folder, complete before it is seen.

        It is made in a folder of a fixed name: debug information says where sources were.
        """
        place = self.root / library.directory
        folder = Path(f"{library.directory}.new")
        shutil.rmtree(self.root / folder, ignore_errors=True)
        made = self.root / folder / "lib"
        self._headers(library, made / "include")
        self._archive(library, folder, made / ARCHIVE)
        write_json(made / "manifest.json", manifest(library, self.catalogue))
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)
        shutil.rmtree(self.root / folder)

    def _headers(self, library: Library, include: Path) -> None:
        include.mkdir(parents=True)
        for name in PUBLIC:
            source = self.root / self.catalogue.support / INCLUDE / name
            shutil.copyfile(source, include / name)
        # Headers of composed operations include those of what they share arguments with.
        for kernel in self.catalogue.kernels.values():
            if kernel.name in library.variants or self._shares_arguments(kernel, library):
                (include / kernel.folder).mkdir()
                source = self.root / kernel.directory / kernel.header
                shutil.copyfile(source, include / kernel.folder / kernel.header)

    def _shares_arguments(self, kernel: Kernel, library: Library) -> bool:
        used = {self.catalogue.kernels[name].args for name in library.variants}
        return f"ts_{kernel.name}_args" in used

    def _archive(self, library: Library, folder: Path, archive: Path) -> None:
        plans = [ObjectPlan(library.compiler, source) for source in self._sources(library)]
        objects = [self._compile(library, self._compiled(plan), folder) for plan in plans]
        for name, variant in library.variants.items():
            kernel = self.catalogue.kernels[name]
            source = folder / f"{name}.c"
            write_atomically(self.root / source, entry_source(kernel, variant).encode("ascii"))
            objects.append(self._compile(library, str(source), folder, kernel.directory))
        options = library.compiler.target.toolchain(library.compiler.toolchain).options
        program, words = archiver(library.compiler.toolchain, options)
        self._run(program, [*words, str(archive), *map(str, objects)], self.root)

    def _sources(self, library: Library) -> list[str]:
        sources: dict[str, None] = {}
        for name, variant in library.variants.items():
            kernel = self.catalogue.kernels[name]
            sources |= dict.fromkeys(variant_sources(self.catalogue, kernel, variant))
            if kernel.check is not None:
                sources[f"{kernel.directory}/{kernel.check}"] = None
        return list(sources)

    def _compiled(self, plan: ObjectPlan) -> str:
        """What the compiler reads: assembly is generated first."""
        if plan.generator is not None:
            stages.make_assembly(plan.generator, plan.compiled, self.root, self.registry)
        return plan.compiled

    def _compile(self, library: Library, source: str, folder: Path, own: str = "") -> Path:
        said = commands(library.compiler)
        path = Path(source)
        stem = f"ts_{path.stem}" if own else f"{path.parent.name}.{path.stem}"
        made = folder / f"{stem}.o"
        local = self.programs.local_words(said.program, self.root)
        folders = [*library.compiler.includes, *([own] if own else [])]
        includes = [f"-I{name}" for name in folders]
        words = [*local, *said.compile, *includes, "-c", source, "-o", str(made)]
        self._run(said.program, words, self.root)
        return made

    def _run(self, program: str, words: Sequence[str], folder: Path) -> None:
        called = [str(self.programs.path(program)), *words]
        stages.run_tool(called, folder, self.registry, self.programs.environment(program))


def archiver(toolchain: str, options: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The program that makes archives, and its words: D, so that no dates are in them."""
    if toolchain == "llvm":
        return llvm.PROGRAM, ("ar", "rcsD")
    return f"{options['prefix']}ar", ("rcsD",)
