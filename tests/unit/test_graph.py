# SPDX-License-Identifier: Apache-2.0
"""The planned graph: what cells share, and what of a cell is in which specification."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from touchstone.cellid import parse_cell_id
from touchstone.cells import VALUE_CLASSES
from touchstone.graph import (
    CellPlan,
    instruction_limit,
    plan_graph,
    variant_sources,
    vectors_directory,
    vectors_spec,
)
from touchstone.manifest import Catalogue, Kernel, Variant
from touchstone.plan import PlannedCell
from touchstone.sizes import needs_of


def plan(catalogue: Catalogue, name: str) -> CellPlan:
    cell = parse_cell_id(catalogue, name, ())
    (made,) = plan_graph(catalogue, [PlannedCell(cell, needs_of(cell), None)], ("targets/c.c",))
    return made


def fake_variant(name: str, *uses: str) -> Variant:
    return Variant(name, "any", (f"{name}.c",), uses, None, "0")


def fake_catalogue(**kernels: tuple[Variant, ...]) -> Catalogue:
    """Kernels with nothing but variants."""
    return cast(
        Catalogue,
        SimpleNamespace(kernels={name: fake_kernel(name, made) for name, made in kernels.items()}),
    )


def fake_kernel(name: str, variants: tuple[Variant, ...]) -> Kernel:
    empty: dict[str, Any] = dict.fromkeys(
        ("summary", "header", "glue", "golden", "macs", "elements", "peak"), ""
    )
    return Kernel(name, name, params=(), operands=(), layouts={}, variants=variants, **empty)


def test_sources_of_what_a_variant_uses() -> None:
    known = fake_catalogue(
        a=(fake_variant("x", "b.x", "c.x"),),
        b=(fake_variant("x", "c.x"), fake_variant("unused")),
        c=(fake_variant("x"),),
    )
    kernel = known.kernels["a"]
    found = variant_sources(known, kernel, kernel.variants[0])
    assert found == ["kernels/a/x.c", "kernels/b/x.c", "kernels/c/x.c"]


def test_variants_that_use_each_other() -> None:
    known = fake_catalogue(a=(fake_variant("x", "b.y"),), b=(fake_variant("y", "a.x", "b.y"),))
    kernel = known.kernels["b"]
    assert variant_sources(known, kernel, kernel.variants[0]) == ["kernels/b/y.c", "kernels/a/x.c"]


def test_file_of_two_variants_is_compiled_once() -> None:
    shared = replace(fake_variant("y"), sources=("x.c", "../a/x.c"))
    known = fake_catalogue(a=(fake_variant("x"), shared))
    assert variant_sources(known, known.kernels["a"], shared) == ["kernels/a/x.c"]


def test_mhsa_links_its_parts(catalogue: Catalogue) -> None:
    made = plan(catalogue, "stm32l4/mhsa.armv7em/S4-E6-P3-H2/c1")
    sources = [item.source for item in made.firmware.objects]
    for part in ("linear_qk", "linear_v", "linear_o", "attention_scores", "attention_context"):
        assert f"kernels/{part}/armv7em.c" in sources
        assert f"kernels/{part}/job.c" not in sources
    assert "kernels/mhsa/job.c" in sources
    assert "targets/c.c" in sources
    assert len(sources) == len(set(sources))


def test_vectors_are_shared_by_targets_variants_and_cores(catalogue: Catalogue) -> None:
    names = (
        "gap9/linear_qk/S4-E6-P3-H2/c8",
        "gap9/linear_qk/S4-E6-P3-H2/c3",
        "gap9/linear_qk.portable/S4-E6-P3-H2/c8",
        "stm32l4/linear_qk.armv7em/S4-E6-P3-H2/c1",
        "stm32h7/linear_qk.portable/S4-E6-P3-H2/c1",
    )
    assert len({plan(catalogue, name).packed.vectors for name in names}) == 1
    packed = {name: plan(catalogue, name).packed.inputs for name in names}
    assert packed[names[0]] == packed[names[1]]
    assert packed[names[0]].endswith("/inputs.panels.bin")
    assert packed[names[3]].endswith("/inputs.bin")


def test_dimension_that_a_kernel_lacks_makes_no_other_vectors(catalogue: Catalogue) -> None:
    first, second = (
        parse_cell_id(catalogue, f"stm32l4/gelu/S4-E6-{rest}/c1", ()) for rest in ("P3-H2", "P9-H1")
    )
    assert vectors_directory(first) == vectors_directory(second)
    assert vectors_spec(first) == vectors_spec(second)


def test_vectors_in_one_folder_have_one_specification(default_plans: list[CellPlan]) -> None:
    specs = defaultdict(set)
    for made in default_plans:
        specs[made.packed.vectors.directory].add(made.packed.vectors.spec)
    assert {len(found) for found in specs.values()} == {1}
    folders = defaultdict(set)
    for made in default_plans:
        folders[made.packed.vectors.spec].add(made.packed.vectors.directory)
    assert {len(found) for found in folders.values()} == {1}


def test_a_packed_file_has_one_layout(default_plans: list[CellPlan]) -> None:
    packers = defaultdict(set)
    for made in default_plans:
        packers[made.packed.inputs].add(made.packed.packers)
    assert {len(found) for found in packers.values()} == {1}


def test_firmware_is_one_for_all_shapes(default_plans: list[CellPlan]) -> None:
    by_variant = defaultdict(set)
    for made in default_plans:
        cell = made.cell
        by_variant[cell.target.name, cell.kernel.name, cell.variant.name].add(made.firmware)
    assert {len(found) for found in by_variant.values()} == {1}
    folders = {made.firmware.directory for made in default_plans}
    assert len(folders) == len(by_variant)


def test_paths_of_cells_are_their_own(default_plans: list[CellPlan]) -> None:
    assert len({made.run for made in default_plans}) == len(default_plans)
    assert len({made.verdict for made in default_plans}) == len(default_plans)
    every = [path for made in default_plans for path in (made.run, made.packed.inputs)]
    assert all(path.startswith("build/") and not path.endswith((".c", ".h")) for path in every)


def test_run_depends_on_nothing_of_the_report(catalogue: Catalogue) -> None:
    """Clock, power and peak of a target, names of axes: a run is what it is without them."""
    target = catalogue.targets["gap9"]
    other = replace(target, clock_hz=1, active_milliwatts=1.0, peak={}, summary="another")
    changed = Catalogue(catalogue.kernels, {**catalogue.targets, "gap9": other})
    name = "gap9/linear_qk/S4-E6-P3-H2/c8"
    assert plan(changed, name).run_spec == plan(catalogue, name).run_spec
    assert plan(changed, name).check_spec == plan(catalogue, name).check_spec


def test_run_specification(catalogue: Catalogue) -> None:
    made = plan(catalogue, "gap9/linear_qk/S4-E6-P4-H2/c3")
    spec = json.loads(made.run_spec)
    assert spec["cores"] == 3
    assert spec["output_bytes"] == 2 * 4 * 4
    assert spec["scratch_bytes"] == 4 * 8
    assert spec["operands"][-1] == ["output", "output"]
    other = json.loads(plan(catalogue, "gap9/linear_qk/S4-E6-P4-H2/c8").run_spec)
    assert {key for key in spec if spec[key] != other[key]} == {"cores"}


def test_instruction_limit_is_far_above_the_work(catalogue: Catalogue) -> None:
    cell = parse_cell_id(catalogue, "stm32l4/mhsa/S81-E32-P32-H8/c1", ())
    needs = needs_of(cell)
    small = needs_of(parse_cell_id(catalogue, "stm32l4/mhsa/S4-E32-P32-H8/c1", ()))
    runs = len(VALUE_CLASSES) + 1
    assert instruction_limit(cell.target, needs) > 10 * runs * needs.macs
    assert instruction_limit(cell.target, small) < instruction_limit(cell.target, needs)
