# SPDX-License-Identifier: Apache-2.0
"""Builds firmware without SCons: what the graph does, in one function, for tests."""

from __future__ import annotations

import posixpath
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from touchstone.image import extract_loadable
from touchstone.layout import layout_text
from touchstone.manifest import Kernel, Target, Variant
from touchstone.toolchains.llvm import environment, target_commands, zig_path

INCLUDES = ("kernels/include", "targets/common")


@dataclass(frozen=True)
class Workshop:
    """A checkout, the folder that holds its kernels/, and where results and caches go."""

    root: Path
    kernels_root: Path
    cache: Path

    def build(
        self,
        target: Target,
        kernel: Kernel,
        variant: Variant,
        directory: Path,
        memory_map: str | None = None,
    ) -> Path:
        """Compile and link one firmware in `directory`; returns the path of the ELF."""
        directory.mkdir(parents=True, exist_ok=True)
        commands = target_commands(target.toolchain("llvm").options, ())
        maps = [f"-ffile-prefix-map={self.root}=.", f"-ffile-prefix-map={self.kernels_root}=."]
        includes = [f"-I{self.root / path}" for path in INCLUDES]
        includes.append(f"-I{self.kernels_root / 'kernels' / kernel.folder}")
        compiler = [*commands.compile, *maps, *includes]
        objects: list[Path] = []
        for number, source in enumerate(self._sources(target, kernel, variant, directory)):
            made = directory / f"{number}-{source.name}.o"
            self._zig(directory, *compiler, "-c", source, "-o", made)
            objects.append(made)
        name = f"ts_{kernel.name}"
        bindings = {
            name: f"{name}_{variant.name}",
            f"{name}_scratch": f"{name}_{variant.name}_scratch",
        }
        layout = layout_text(target.raw, kernel.name, bindings, memory_map)
        (directory / "layout.ld").write_text(layout)
        elf = directory / "firmware.elf"
        script = self.root / "targets" / target.folder / "link.ld"
        link: tuple[str | Path, ...] = (*commands.link, "-T", script, *objects, *commands.link_tail)
        self._zig(directory, *link, "-o", elf)
        return elf

    def loadable(
        self,
        target: Target,
        kernel: Kernel,
        variant: Variant,
        directory: Path,
        memory_map: str | None = None,
    ) -> bytes:
        """The loadable part of that firmware."""
        return extract_loadable(self.build(target, kernel, variant, directory, memory_map))

    def _sources(
        self, target: Target, kernel: Kernel, variant: Variant, directory: Path
    ) -> list[Path]:
        sources = [self.root / "targets" / target.folder / name for name in target.sources]
        sources += sorted((self.root / "targets" / "common").glob("*.c"))
        folder = self.kernels_root / "kernels" / kernel.folder
        variants = [variant]
        for use in variant.uses:
            variants.append(kernel.variant(use.partition(".")[2]))
        names = [kernel.glue, *(name for entry in variants for name in entry.sources)]
        sources += [folder / posixpath.normpath(name) for name in dict.fromkeys(names)]
        generators = dict.fromkeys(name for entry in variants for name in entry.generated)
        return [*sources, *(self._generated(name, directory) for name in generators)]

    def _generated(self, name: str, directory: Path) -> Path:
        made = directory / f"{name}.S"
        subprocess.run(
            [sys.executable, "-m", f"kernels.generators.{name}", str(made)],
            cwd=self.root,
            check=True,
        )
        return made

    def _zig(self, directory: Path, *words: str | Path) -> None:
        done = subprocess.run(
            [str(zig_path()), *map(str, words)],
            cwd=directory,
            env=environment(self.cache),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
