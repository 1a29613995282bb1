# SPDX-License-Identifier: Apache-2.0
"""Whatever the real core would not survive, or the simulator does not model, ends the run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from cortexm_tools import CODE, M4, M7, RAM, RAM_BYTES, assemble, launch, run, run_text

from touchstone.simulators.cortexm_costs import build_costs

START = CODE + 8 + 4 + 12  # behind the vectors and the words of `open_stream`


@pytest.mark.parametrize("core", [M4, M7])
@pytest.mark.parametrize(
    ("body", "kind", "offset", "address", "before"),
    [
        ("ldr r0, =0x30001234\n nop\n ldr r1, [r0, #4]", "memory-access", 4, 0x30001238, 2),
        ("ldr r0, =0x30001235\n nop\n strb r1, [r0, #4]", "memory-access", 4, 0x30001239, 2),
        ("mov r0, #0\n nop\n ldr r1, [r0]", "memory-access", 6, 0, 2),
        ("ldr r0, =0x08000104\n nop\n str r1, [r0]", "memory-access", 4, CODE + 0x104, 2),
        (f"ldr r0, ={RAM + RAM_BYTES - 2:#x}\n nop\n ldr r1, [r0]", "memory-access", 4, None, 2),
        ("nop\n udf #0", "illegal-instruction", 2, None, 1),
        ("nop\n .short 0xFFFF, 0xFFFF", "illegal-instruction", 2, None, 1),
        ("nop\n vmov.f32 s0, #1.0\n nop", "illegal-instruction", 2, None, 1),
        ("nop\n bkpt #1", "breakpoint", 2, None, 1),
        ("nop\n movs r0, #3\n bkpt #0xAB", "semihosting", 4, None, 2),
        ("ldr r0, =0x20000001\n ldrd r2, r3, [r0]", "unaligned-access", 2, RAM + 1, 1),
        ("ldr r0, =0x20000002\n ldm r0, {r2, r3}", "unaligned-access", 2, RAM + 2, 1),
        ("ldr r0, =0x20000002\n stmia r0!, {r2, r3}", "unaligned-access", 2, RAM + 2, 1),
        ("ldr lr, =0x20000002\n ldrd r2, r3, [lr]", "unaligned-access", 4, RAM + 2, 1),
        ("ldr r0, =0xE000E010\n nop\n ldr r1, [r0]", "memory-access", 4, 0xE000E010, 2),
        ("ldr r0, =0xE0001004\n nop\n ldrb r1, [r0]", "memory-access", 4, 0xE0001004, 2),
        ("ldr r0, =0xE000ED00\n nop\n str r1, [r0]", "memory-access", 4, 0xE000ED00, 2),
        ("ldr r0, =0xE0001004\n cmp r0, r0\n it eq\n ldreq r1, [r0]", "memory-access", 6,
         0xE0001004, 3),
    ],
)  # fmt: skip
def test_fault(
    core: str, body: str, kind: str, offset: int, address: int | None, before: int
) -> None:
    outcome = run_text(body + "\n nop\n finish\n", core=core)
    fault = outcome.fault
    assert (fault["kind"], fault["core"], fault["pc"]) == (kind, 0, START + offset)
    assert address is None or fault["address"] == address
    assert outcome.instructions == before
    assert fault["detail"]


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        (0x00000001, "memory-access"),
        (0x40000001, "memory-access"),
        (RAM + 0x101, "memory-access"),
        (0xFFFFFFF9, "memory-access"),  # an exception return
        (CODE + 0x10, "illegal-instruction"),  # ARM state
    ],
)
def test_jump_to_nowhere(where: int, kind: str) -> None:
    outcome = run_text(f"ldr r0, ={where:#x}\n nop\n bx r0\n .pool\n")
    assert outcome.fault["kind"] == kind
    assert outcome.instructions == 3


def test_svc_and_sleep_are_faults() -> None:
    assert run_text("nop\n svc #0\n finish\n").fault["kind"] == "exception"
    assert run_text("nop\n wfi\n finish\n").fault["kind"] == "halt"


def test_floating_point_right_after_the_switch_is_no_fault() -> None:
    assert run_text("enable_fpu\n vmov.f32 s0, #1.0\n finish\n").report["status"] == "exit"


@pytest.mark.parametrize(
    ("between", "faults"),
    [
        ("nop", False),
        ("ldmia r0!, {r2, r3}", False),
        ("adds r0, #2", True),
        ("ldr r1, [r0], #2", True),
        ("ldrh r0, [r0]", True),
    ],
)
def test_alignment_is_checked_again_when_the_base_moves(between: str, faults: bool) -> None:
    body = f"""
    ldr r0, =0x20000000
    ldrd r2, r3, [r0]
    {between}
    ldrd r2, r3, [r0, #8]
    finish
    """
    assert run_text(body).report["status"] == ("fault" if faults else "exit")


def test_skipped_accesses_prove_nothing_about_alignment() -> None:
    body = """
    ldr r0, =0x20000002
    cmp r0, r0
    it ne
    ldrdne r2, r3, [r0]
    {}
    ldrd r2, r3, [r0]
    finish
    """
    assert run_text(body.format("")).fault["kind"] == "unaligned-access"
    assert run_text(body.format("subs r0, #2")).report["status"] == "exit"


def test_lr_is_a_base_like_any_other() -> None:
    """Its number in the engine does not follow r12's: s0 and s1 do."""
    body = "enable_fpu\n ldr lr, =0x20000000\n mov r0, #1\n vmov s0, r0\n vmov s1, r0\n"
    body += "ldmia lr, {r2, r3, lr}\n finish\n"
    assert run_text(body).report["status"] == "exit"


def test_unaligned_words_and_halfwords_are_no_fault() -> None:
    body = "ldr r0, =0x20000001\n ldr r1, [r0]\n strh r1, [r0, #2]\n finish\n"
    assert run_text(body).report["status"] == "exit"


def test_fresh_memory_is_not_zero() -> None:
    body = "open_stream\n ldr r0, =0x20000000\n ldr r4, [r0]\n emit r4\n finish\n"
    assert run_text(body).words == [0xE7E7E7E7]


@pytest.mark.parametrize("core", [M4, M7])
@pytest.mark.parametrize("limit", [1, 2, 1000, 1001, 1002])
@pytest.mark.parametrize("body", ["b .", "1: adds r0, #1\n adds r0, #1\n b 1b"])
def test_limit(body: str, limit: int, core: str) -> None:
    outcome = run_text(body, core=core, limit=limit)
    assert outcome.report["status"] == "limit"
    assert outcome.report["fault"] is None
    assert limit - 3 < outcome.instructions <= limit


def test_exit_status() -> None:
    body = "ldr r1, =block\n movs r0, #0x20\n bkpt #0xAB\n .pool\n .balign 4\nblock: .word {}, 7\n"
    report = run_text(body.format("0x20026")).report
    assert (report["status"], report["exit_code"]) == ("exit", 7)
    assert run_text(body.format("0x20023")).report["exit_code"] == 1


def test_streams() -> None:
    body = """
    ldr r1, =stream_open
    movs r0, #1
    bkpt #0xAB
    ldr r1, =log_open
    movs r0, #1
    bkpt #0xAB
    ldr r1, =first
    movs r0, #5
    bkpt #0xAB
    cbnz r0, 1f
    ldr r1, =second
    movs r0, #5
    bkpt #0xAB
    finish
1:  udf #0
    .balign 4
stream_open: .word name, 4, 3
log_open: .word name, 8, 3
first: .word 1, 0x08000000, 5000
second: .word 2, text, 5
name: .ascii ":tt"
text: .ascii "hello"
    .space 6000
    """
    image = assemble(body)
    outcome = run(image)
    assert outcome.log == b"hello"
    assert len(outcome.stream) == 5000
    assert outcome.stream in image


@pytest.mark.parametrize(
    "block", [".word name, 0, 3", ".word name, 4, 2", ".word 0x30000000, 4, 3"]
)
def test_only_the_console_can_be_opened(block: str) -> None:
    body = f"ldr r1, =block\n movs r0, #1\n bkpt #0xAB\n finish\n .balign 4\nblock: {block}\n"
    assert run_text(body + 'name: .ascii ":tt"\n').fault["kind"] == "semihosting"


def test_write_to_what_is_not_open() -> None:
    body = "ldr r1, =block\n movs r0, #5\n bkpt #0xAB\n finish\n .balign 4\n"
    assert run_text(body + "block: .word 2, block, 4\n").fault["kind"] == "semihosting"


def test_declared_memory_can_be_read_only() -> None:
    body = "ldr r0, =0x30000000\n ldr r1, [r0]\n str r1, [r0]\n finish\n"
    assert run_text(body, "--memory", "0x30000000:4096").report["status"] == "exit"
    outcome = run_text(body, "--memory", "0x30000000:4096:r")
    assert outcome.fault["detail"] == "write of 4 bytes to read-only memory"


def test_flash_is_read_only_as_a_whole() -> None:
    body = "ldr r0, =0x08020000\n ldr r1, [r0]\n str r1, [r0]\n finish\n"
    outcome = run_text(body, "--memory", f"{CODE:#x}:0x40000")
    assert outcome.fault["detail"] == "write of 4 bytes to read-only memory"


def failure(tmp_path: Path, *options: str, costs: bytes | None = None, image: bytes = b"") -> str:
    image = image or assemble("finish\n")
    done: subprocess.CompletedProcess[str] = launch(tmp_path, image, *options, costs=costs)
    assert done.returncode == 2
    assert not (tmp_path / "report").exists()
    return done.stderr


def test_bad_input_is_said(tmp_path: Path) -> None:
    image = assemble("finish\n")
    other = build_costs(assemble("nop\n finish\n"), M4)
    assert "another firmware" in failure(tmp_path, costs=other)
    assert "another core" in failure(tmp_path, costs=build_costs(image, M7))
    assert "not a cost table" in failure(tmp_path, costs=b"x" * 100)
    assert "damaged" in failure(tmp_path, costs=build_costs(image, M4)[:200])
    assert "not a little-endian" in failure(tmp_path, image=b"\x7fELG" + image[4:], costs=other)
    moved = image[:24] + (CODE + 0x101).to_bytes(4, "little") + image[28:]
    assert "not its entry point" in failure(tmp_path, image=moved)
    for words in ("--memory 12", "--memory 0:8:q", "--core m4", "--nonsense 1",
                  "--max-instructions -1", "second.elf"):  # fmt: skip
        assert re.match("usage: cortexm_sim", failure(tmp_path, *words.split()))
    assert "cannot open" in failure(tmp_path, "--unicorn", str(tmp_path / "absent.so"))
