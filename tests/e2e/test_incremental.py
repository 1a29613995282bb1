# SPDX-License-Identifier: Apache-2.0
"""What an edit makes again, row by row of the design's table: exactly these nodes and no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from project import (
    CELLS,
    FIRMWARES,
    GAP9,
    SHAPE,
    STM32L4,
    Ended,
    Project,
    assembly,
    both,
    checks,
    costs,
    firmwares,
    includers,
    objects,
    simulations,
    vectors,
)

from touchstone.toolchains.llvm import zig_path

GELU = (f"gap9/gelu/{SHAPE}/c8", f"stm32l4/gelu/{SHAPE}/c1")
SOFTMAX_M4 = f"stm32l4/softmax/{SHAPE}/c1"
LINEAR_GAP9 = f"gap9/linear_qk/{SHAPE}/c8"
SCORES_GAP9 = f"gap9/attention_scores/{SHAPE}/c8"
SOFTMAX_GAP9 = f"gap9/softmax/{SHAPE}/c8"
GENERATORS = "kernels/generators"
ROWS, PRODUCT = "xpulp_softmax_rows", "xpulp_product"
USERS = (ROWS, "xpulp_softmax_exact", PRODUCT, "xpulp_narrow")
NOP = '__asm__ volatile("nop");'
PACKAGE = "site_scons/touchstone"
SIMULATORS = f"{PACKAGE}/simulators"
PROBE = "kernels/include/ts_probe.h"
PROBE_TEXT = f"""\
/* SPDX-License-Identifier: Apache-2.0 */
static inline void ts_probe(void) {{
    {NOP}
}}
"""


def all_pass(ended: Ended) -> bool:
    return ended.status == 0 and ended.statuses == dict.fromkeys(CELLS, "PASS")


def only_checked_anew(ended: Ended) -> set[str]:
    return {name for name, row in ended.cells.items() if not row["cached"]}


def test_nothing(project: Project) -> None:
    ended = project.run()
    assert ended.built == both()
    assert all_pass(ended)
    assert all(row["cached"] for row in ended.cells.values())


def test_comment_in_a_kernel_that_moves_its_lines(project: Project) -> None:
    project.prepend("kernels/gelu/portable.c", "// A comment.\n")
    ended = project.run()
    assert ended.built == both(
        objects("gap9", "kernels/gelu/portable.c"),
        objects("stm32l4", "kernels/gelu/portable.c"),
        firmwares("gap9", "gelu.portable"),
        firmwares("stm32l4", "gelu.portable"),
    )
    assert all_pass(ended)
    assert only_checked_anew(ended) == set()


def test_comment_in_one_variant(project: Project) -> None:
    project.prepend("kernels/softmax/armv7em.c", "// A comment.\n")
    ended = project.run()
    assert ended.built == both(
        objects("stm32l4", "kernels/softmax/armv7em.c"), firmwares("stm32l4", "softmax.armv7em")
    )
    assert all_pass(ended)


def test_comment_at_the_end_of_a_kernel_does_not_even_link(project: Project) -> None:
    project.append("kernels/softmax/armv7em.c", "// A comment.\n")
    assert project.run().built == both(objects("stm32l4", "kernels/softmax/armv7em.c"))


def test_code_in_one_variant(project: Project) -> None:
    source = "kernels/softmax/armv7em.c"
    before = project.run().cells[SOFTMAX_M4]["cycles"]
    project.replace(source, "    ts_softmax_run(", f"    {NOP}\n    ts_softmax_run(")
    ended = project.run()
    assert ended.built == both(
        objects("stm32l4", source),
        firmwares("stm32l4", "softmax.armv7em"),
        costs("softmax.armv7em"),
        simulations(SOFTMAX_M4),
        checks(SOFTMAX_M4),
    )
    assert all_pass(ended)
    assert only_checked_anew(ended) == {SOFTMAX_M4}
    assert ended.cells[SOFTMAX_M4]["cycles"] > before
    assert ended.cells[SOFTMAX_M4]["delta_cycles"] == ended.cells[SOFTMAX_M4]["cycles"] - before


def test_code_that_is_not_linked_does_not_simulate(project: Project) -> None:
    source = "kernels/linear_qk/xpulp.c"
    project.append(source, "void ts_unused(void);\nvoid ts_unused(void) {}\n")
    ended = project.run()
    assert ended.built == both(objects("gap9", source), firmwares("gap9", "linear_qk.xpulp"))
    assert all_pass(ended)


def test_shared_header(project: Project) -> None:
    header = "targets/common/records.h"
    including = includers(project, header)
    assert 4 <= len(including["compile"]) < 20
    project.append(header, "/* A comment behind everything: no object changes. */\n")
    ended = project.run()
    assert ended.built == both(including)
    assert all_pass(ended)


def test_code_in_a_shared_header(project: Project) -> None:
    project.path(PROBE).write_text(PROBE_TEXT)
    users = {
        "kernels/gelu/portable.c": "    (void)scratch;\n    const int8_t *table",
        "kernels/softmax/armv7em.c": "    (void)scratch;\n    ts_softmax_run",
    }
    for source, place in users.items():
        project.replace(source, place, place.replace("    (void)scratch;", "    ts_probe();"))
        project.replace(source, "void *scratch) {", "void *scratch) {\n    (void)scratch;")
        project.prepend(source, '#include "ts_probe.h"\n')
    assert all_pass(project.run())
    rebuilt = (
        objects("gap9", "kernels/gelu/portable.c"),
        objects("stm32l4", *users),
        firmwares("gap9", "gelu.portable"),
        firmwares("stm32l4", "gelu.portable", "softmax.armv7em"),
    )
    project.prepend(PROBE, "/* A comment. */\n")
    assert project.run().built == both(*rebuilt)
    project.replace(PROBE, NOP, f"{NOP}\n    {NOP}")
    ended = project.run()
    cells = (*GELU, SOFTMAX_M4)
    assert ended.built == both(
        *rebuilt,
        costs("gelu.portable", "softmax.armv7em"),
        simulations(*cells),
        checks(*cells),
    )
    assert all_pass(ended)


@pytest.mark.parametrize(
    ("name", "using"),
    [(ROWS, USERS[:1]), ("xpulp_softmax", USERS[:2]), ("assembly", USERS)],
)
def test_comment_in_a_generator_or_what_it_imports(
    project: Project, name: str, using: tuple[str, ...]
) -> None:
    project.append(f"{GENERATORS}/{name}.py", "# A comment.\n")
    ended = project.run()
    assert ended.built == both(assembly(*using)), "the assembly is the same: it ends with it"
    assert all_pass(ended)


def test_generator_that_no_cell_uses(project: Project) -> None:
    project.append(f"{GENERATORS}/{PRODUCT}.py", "# A comment.\n")
    assert project.run("kernel=softmax,gelu").built == both()


def test_generator_that_writes_other_code(project: Project) -> None:
    before = project.run().cells[SOFTMAX_GAP9]["cycles"]
    source = f"{GENERATORS}/{ROWS}.py"
    project.replace(source, 'text(".Lone:")', 'text(".Lone:", *["nop"] * 9)')
    ended = project.run()
    assert ended.built == both(
        assembly(ROWS),
        objects("gap9", source),
        firmwares("gap9", "softmax.xpulp"),
        simulations(SOFTMAX_GAP9),
        checks(SOFTMAX_GAP9),
    )
    assert all_pass(ended)
    assert only_checked_anew(ended) == {SOFTMAX_GAP9}
    # More, or fewer: the code behind it falls on other lines of the instruction cache.
    assert ended.cells[SOFTMAX_GAP9]["cycles"] != before


def test_new_header_that_shadows_another(project: Project) -> None:
    """It lies in a folder that is searched earlier; no file that was read has changed."""
    source = "kernels/softmax/armv7em.c"
    shared = project.path("kernels/include/ts_softmax_armv7em.h").read_text()
    project.path("kernels/softmax/ts_softmax_armv7em.h").write_text(f"{shared}\n#error found\n")
    ended = project.run()
    assert ended.built == objects("stm32l4", source), "not even the gate"
    assert ended.statuses == {**dict.fromkeys(CELLS, "PASS"), SOFTMAX_M4: "BUILD_ERROR"}
    assert "found" in ended.cells[SOFTMAX_M4]["reason"]


def test_two_edits_within_a_second(project: Project) -> None:
    """The second edit has the size and, in whole seconds, the time of the first."""
    source = project.path("kernels/softmax/armv7em.c")
    text = source.read_text()
    for number in range(2):
        source.write_text(f"// {number}\n{text}")
        os.utime(source, ns=(10**18 + number, 10**18 + number))
        built = project.run().built
        assert built["compile"] == objects("stm32l4", "kernels/softmax/armv7em.c")["compile"]


def test_comment_in_a_linker_script(project: Project) -> None:
    project.prepend("targets/gap9/link.ld", "/* A comment. */\n")
    linked = firmwares("gap9")["link"]
    ended = project.run()
    assert ended.built == both({"link": linked}), "the ELFs are the same: it ends with them"
    assert all_pass(ended)


def test_linker_script(project: Project) -> None:
    script = "targets/gap9/link.ld"
    project.replace(script, "; /* found by trial", " + 64; /* found by trial")
    ended = project.run()
    assert {"link": ended.built["link"]} == {"link": firmwares("gap9")["link"]}
    assert ended.simulated <= set(GAP9)
    assert ended.simulated
    assert set(ended.built) == {"link", "loadable", "simulate", "check", "gate"}
    assert all_pass(ended)


def test_startup(project: Project) -> None:
    source = "targets/gap9/startup.S"
    project.replace(source, "cluster_start:\n    la t0", "cluster_start:\n    nop\n    la t0")
    ended = project.run()
    assert ended.built == both(
        objects("gap9", source), firmwares("gap9"), simulations(*GAP9), checks(*GAP9)
    )
    assert all_pass(ended)


def test_comment_in_a_golden_model(project: Project) -> None:
    project.append("golden/gelu.py", "# A comment.\n")
    ended = project.run()
    assert ended.built == both(vectors("gelu/S4-E6"))
    assert all_pass(ended)


def test_golden_helper_of_two_kernels(project: Project) -> None:
    project.append("golden/softmax_table.py", "# A comment.\n")
    ended = project.run()
    assert ended.built == both(vectors("softmax/S4-H2", "attention_scores/S4-P3-H2"))
    assert all_pass(ended)


def test_golden_model_that_gives_other_outputs(project: Project) -> None:
    old = 'return {"output": activate(x, table)}'
    project.replace("golden/gelu.py", old, old.replace(")}", ") ^ 1}"))
    ended = project.run()
    assert ended.built == both(vectors("gelu/S4-E6"), checks(*GELU)), "the inputs are the same"
    assert ended.status != 0
    assert ended.statuses == {name: "FAIL" if name in GELU else "PASS" for name in CELLS}


def test_golden_model_that_gives_other_inputs(project: Project) -> None:
    old = 'activation(rng, "input", (shape.S, shape.E), value_class)'
    project.replace("golden/gelu.py", old, f"-1 - {old}")
    ended = project.run()
    assert ended.built == both(vectors("gelu/S4-E6"), simulations(*GELU), checks(*GELU))
    assert all_pass(ended)


def test_packer(project: Project) -> None:
    packer = "golden/packers/words4.py"
    packed = {"pack": {f"build/vectors/linear_qk/{SHAPE}/random-seed42/inputs.panels.bin"}}
    project.append(packer, "# A comment.\n")
    assert project.run().built == both(packed)
    # The kernel's own padding of the activations is 0, so that these bytes do not count.
    project.replace(
        packer,
        "[(0, rows), (0, columns)])",
        "[(0, rows), (0, columns)], constant_values=1)",
    )
    ended = project.run()
    assert ended.built == both(packed, simulations(LINEAR_GAP9), checks(LINEAR_GAP9))
    assert all_pass(ended)


def test_check_policy(project: Project) -> None:
    project.append(f"{PACKAGE}/check.py", "# A comment.\n")
    ended = project.run()
    assert ended.built == both(checks(*CELLS))
    assert all_pass(ended)
    assert only_checked_anew(ended) == set(), "no simulator ran"


@pytest.mark.parametrize(
    ("old", "new"),
    [("clock_hz: 370000000", "clock_hz: 185000000"), ("active_mw: 35.1", "active_mw: 70.2")],
)
def test_clock_and_power(project: Project, old: str, new: str) -> None:
    before = project.run().cells
    project.replace("targets/gap9/target.yaml", old, new)
    ended = project.run()
    assert ended.built == both()
    assert all_pass(ended)
    for name in CELLS:
        factor = 2 if name in GAP9 else 1
        energy = before[name]["energy_uj"]
        assert ended.cells[name]["energy_uj"] == pytest.approx(factor * energy, abs=2e-4)


@pytest.mark.parametrize(
    ("folder", "program", "cells"),
    [("xpulp", "xpulp_sim", GAP9), ("cortexm", "cortexm_sim", STM32L4)],
)
def test_simulator(project: Project, folder: str, program: str, cells: tuple[str, ...]) -> None:
    source = f"{SIMULATORS}/{folder}/main.c"
    built = {"simulator": {f"build/simulators/{program}"}}
    project.prepend(source, "// A comment.\n")
    assert project.run().built == both(built), "the program is the same"
    project.replace(source, "usage: ", "Usage: ")
    ended = project.run()
    assert ended.built == both(built, simulations(*cells)), "the runs are the same"
    assert all_pass(ended)
    assert only_checked_anew(ended) == set(cells)


def test_simulator_adapter(project: Project) -> None:
    project.append(f"{SIMULATORS}/embedded.py", "# A comment.\n")
    ended = project.run()
    assert ended.built == both(simulations(*CELLS)), "the runs are the same"
    assert all_pass(ended)


def test_simulator_that_counts_other_cycles(project: Project) -> None:
    project.replace(
        f"{SIMULATORS}/embedded.py",
        'instructions = int(report["instructions"])',
        'instructions = int(report["instructions"]) + 1',
    )
    ended = project.run()
    assert ended.built == both(simulations(*CELLS), checks(*CELLS)), "the runs differ"
    assert all_pass(ended)


def test_toolchain_binary(project: Project, tmp_path: Path) -> None:
    wrapper = tmp_path / "zig"
    wrapper.write_text(f'#!/bin/sh\nexec "{zig_path()}" "$@"\n')
    wrapper.chmod(0o755)
    everything = {
        path.relative_to(project.folder).as_posix()
        for path in project.path("build/firmware").rglob("*.o")
    }
    again = both(
        {"compile": everything},
        {"link": {node for target in FIRMWARES for node in firmwares(target)["link"]}},
        {"simulator": {"build/simulators/xpulp_sim", "build/simulators/cortexm_sim"}},
    )
    ended = project.run(TOUCHSTONE_ZIG=str(wrapper))
    assert ended.built == again, "the ELFs and the simulators are the same: it ends with them"
    assert all_pass(ended)
    wrapper.write_text(f'#!/bin/sh\n# Another release.\nexec "{zig_path()}" "$@"\n')
    ended = project.run(TOUCHSTONE_ZIG=str(wrapper))
    assert ended.built == again
    assert all_pass(ended)


def test_flags_of_a_target(project: Project) -> None:
    manifest = "targets/gap9/target.yaml"
    of_gap9 = {
        path.relative_to(project.folder).as_posix()
        for path in project.path("build/firmware/gap9").rglob("*.o")
    }
    flags = "cflags: [-mabi=ilp32"
    project.replace(manifest, flags, flags.replace("[", "[-DTS_UNUSED, "))
    ended = project.run()
    assert set(ended.built) <= {"compile", "link", "loadable", "gate"}
    assert ended.built["compile"] == of_gap9
    assert ended.built["link"] == firmwares("gap9")["link"]
    assert all_pass(ended)
    project.replace(manifest, "-DTS_UNUSED", "-fno-inline")
    ended = project.run()
    assert ended.built == both(
        {"compile": of_gap9}, firmwares("gap9"), simulations(*GAP9), checks(*GAP9)
    )
    assert all_pass(ended)


def test_flags_on_the_command_line_are_cells_of_their_own(project: Project) -> None:
    ended = project.run("target=gap9", "kernel=gelu", "cflags=-O1")
    (cell,) = ended.cells
    assert cell.startswith(f"{GELU[0]}/cflags-")
    assert ended.simulated == {cell}
    assert "vectors" not in ended.built
    assert all("gap9/llvm-" in node for node in ended.built["compile"])
    assert ended.status == 0
    assert project.run().built == both(), "the other cells have not been touched"


def test_memory_of_a_target(project: Project) -> None:
    project.replace("targets/gap9/target.yaml", "bytes: 0x0001D100}", "bytes: 0x0001C100}")
    ended = project.run()
    layouts = {f"build/firmware/gap9/llvm/{name}/layout.ld" for name in FIRMWARES["gap9"]}
    assert ended.built["layout"] == layouts
    assert ended.built["link"] == firmwares("gap9")["link"]
    assert ended.simulated == set(GAP9)
    assert "compile" not in ended.built
    assert all_pass(ended)


def test_new_shape(project: Project) -> None:
    project.append(
        "tiny.yaml",
        "  - {name: new, targets: stm32l4, kernels: gelu, shapes: [{S: 3, E: 5, P: 1, H: 1}]}\n",
    )
    ended = project.run()
    cell = "stm32l4/gelu/S3-E5-P1-H1/c1"
    assert ended.built == both(vectors("gelu/S3-E5"), simulations(cell), checks(cell))
    assert only_checked_anew(ended) == {cell}
    assert ended.status == 0


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "SConstruct",
        "site_scons/touchstone/table.py",
        "site_scons/touchstone/results.py",
    ],
)
def test_report_and_documents(project: Project, name: str) -> None:
    project.append(name, "\n# Words.\n")
    ended = project.run()
    assert ended.built == both()
    assert all_pass(ended)


def test_moved_checkout(project: Project, tmp_path: Path) -> None:
    moved = Project(project.folder.rename(tmp_path / "elsewhere and again"))
    assert moved.run().built == both()
