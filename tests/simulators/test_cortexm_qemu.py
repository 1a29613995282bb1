# SPDX-License-Identifier: Apache-2.0
"""The instruction count against QEMU, which logs every instruction it executes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cortexm_tools import M4, M7, assemble, run

QEMU = shutil.which("qemu-system-arm")
MACHINES = {M4: "mps2-an386", M7: "mps2-an500"}
# QEMU's boards have their code memory at 0; an exit with status 0 ends the emulation.
PROGRAM = """
    enable_fpu
    ldr r0, =0x20000000
    movs r5, #40
    movs r6, #0
1:  adds r6, #13
    and r1, r5, #3
    tbb [pc, r1]
4:  .byte (5f-4b)/2, (6f-4b)/2, (7f-4b)/2, (8f-4b)/2
5:  udiv r6, r6, r5
    b 9f
6:  smlad r6, r5, r6, r5
    cmp r6, #0
    itte lt
    rsblt r6, r6, #0
    addlt r6, r6, #1
    subge r6, r6, #1
    b 9f
7:  stmia r0, {r5, r6}
    ldrd r2, r3, [r0]
    cbz r2, 9f
    bl callee
    b 9f
8:  vmov s0, r6
    vcvt.f32.s32 s0, s0
    vmul.f32 s0, s0, s0
    vcvt.s32.f32 s0, s0
    vmov r6, s0
9:  uxth r6, r6
    subs r5, #1
    bne 1b
    ldr r1, =exit_block
    movs r0, #0x20
    bkpt #0xAB
    .pool
    .balign 4
exit_block: .word 0x20026, 0
    .thumb_func
callee:
    push {r4-r6, lr}
    movs r4, #5
1:  subs r4, #1
    bne 1b
    tst r6, #1
    it ne
    popne {r4-r6, pc}
    nop
    pop {r4-r6, pc}
"""


def qemu_count(image: Path, core: str) -> int:
    """Executed instructions: with single steps, each block in QEMU's log is one."""
    assert QEMU is not None
    version = subprocess.run([QEMU, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", version)
    assert found is not None
    modern = (int(found[1]), int(found[2])) >= (8, 1)
    single = ["-accel", "tcg,one-insn-per-tb=on"] if modern else ["-singlestep"]
    log = image.with_name("trace")
    command = [QEMU, "-M", MACHINES[core], "-nographic", "-monitor", "none", "-serial", "none"]
    command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(image)]
    command += [*single, "-d", "exec,nochain", "-D", str(log)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return sum(line.startswith("Trace ") for line in log.read_text().splitlines())


@pytest.mark.skipif(QEMU is None, reason="qemu-system-arm is not installed")
@pytest.mark.parametrize("core", [M4, M7])
def test_same_count_as_qemu(core: str, tmp_path: Path) -> None:
    image = assemble(PROGRAM, core, code=0)
    (tmp_path / "image.elf").write_bytes(image)
    ours = run(image, core=core)
    assert ours.report["status"] == "exit"
    assert ours.instructions == qemu_count(tmp_path / "image.elf", core)
    assert ours.instructions > 500
