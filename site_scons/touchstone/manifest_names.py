# SPDX-License-Identifier: Apache-2.0
"""The names in a kernel.yaml that stand for something else: files, modules, operands, variants.

Checked when the manifests are read: a typo is one line then, where a build would end in a missing
module, or would pass without the layout or the argument checks that were meant.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touchstone.errors import UserError, unknown

if TYPE_CHECKING:
    from touchstone.manifest import Kernel

GENERATORS = "kernels/generators"


@dataclass(frozen=True)
class _Modules:
    """The Python modules that the manifests of one `support` can name."""

    golden: Collection[str]
    packers: Collection[str]
    generators: Collection[str]


def check_names(root: Path, kernels: Mapping[str, Kernel]) -> None:
    """Refuse a name of a file, a module, an operand or a variant that does not exist."""
    modules = {
        support: _Modules(
            golden=_python(root, "golden", {support, ""}),
            packers=_python(root, "golden/packers", {support, ""}),
            generators=_python(root, GENERATORS, {support}),
        )
        for support in {kernel.support for kernel in kernels.values()}
    }
    for kernel in kernels.values():
        _check_kernel(root / kernel.directory, kernel, modules[kernel.support])
        _check_variants(root / kernel.directory, kernel, modules[kernel.support], kernels)


def _check_kernel(folder: Path, kernel: Kernel, modules: _Modules) -> None:
    _check_file(f"{kernel.where}: header", folder, kernel.header)
    _check_file(f"{kernel.where}: glue", folder, kernel.glue)
    if kernel.check is not None:
        _check_file(f"{kernel.where}: check", folder, kernel.check)
    _check(f"{kernel.where}: golden", kernel.golden, modules.golden)
    operands = [operand.name for operand in kernel.operands]
    for layout, packers in kernel.layouts.items():
        where = f"{kernel.where}: layouts.{layout}"
        for operand, packer in packers.items():
            _check(where, operand, operands)
            _check(f"{where}.{operand}", packer, modules.packers)


def _check_variants(
    folder: Path, kernel: Kernel, modules: _Modules, kernels: Mapping[str, Kernel]
) -> None:
    for variant in kernel.variants:
        where = f"{kernel.where}: variants.{variant.name}"
        for source in variant.sources:
            _check_file(f"{where}.sources", folder, source)
        for name in variant.generated:
            _check(f"{where}.generated", name, modules.generators)
        for use in variant.uses:
            name = use.partition(".")[0]
            _check(f"{where}.uses", name, kernels)
            _check(f"{where}.uses", use, [f"{name}.{v.name}" for v in kernels[name].variants])


def _check(where: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise UserError(unknown(where, name, known))


def _check_file(where: str, folder: Path, name: str) -> None:
    if not (folder / name).is_file():
        ending = posixpath.splitext(name)[1]
        files = [path.name for path in folder.glob(f"*{ending}") if path.is_file()]
        raise UserError(unknown(where, name, files))


def _python(root: Path, folder: str, places: Collection[str]) -> frozenset[str]:
    """The modules of a package of which several places can have a part."""
    files = (path for place in places for path in (root / place / folder).glob("*.py"))
    return frozenset(path.stem for path in files) - {"__init__"}
