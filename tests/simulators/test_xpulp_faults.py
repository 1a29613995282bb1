# SPDX-License-Identifier: Apache-2.0
"""What is not modelled faults, with the place."""

from __future__ import annotations

import pytest
from xpulp_tools import CODE, elf, run, run_text

ON_CORE = "cluster 1\ncore:\nli s0, 0x10204000\n"

# program, kind, address (None: not given)
FAULTS: dict[str, tuple[str, str, int | None]] = {
    "null load": ("here: lw a0, 0(x0)", "memory-access", 0),
    "null store": ("here: sb a0, 0(x0)", "memory-access", 0),
    "past L1": (ON_CORE + "li a1, 0x10020000\nhere: sw a0, 0(a1)", "memory-access", 0x10020000),
    "crossing L1": (ON_CORE + "li a1, 0x1001fffe\nhere: sw a0, 0(a1)", "memory-access", 0x1001FFFE),
    "crossing L1 half": (
        ON_CORE + "li a1, 0x1001ffff\nhere: lh a0, 0(a1)", "memory-access", 0x1001FFFF,
    ),
    "below L1": (ON_CORE + "li a1, 0x0fffffff\nhere: lw a0, 0(a1)", "memory-access", 0x0FFFFFFF),
    "past L2": ("li a1, 0x1c190000\nhere: lw a0, 0(a1)", "memory-access", 0x1C190000),
    "crossing L2": ("li a1, 0x1c18fffd\nhere: lw a0, 0(a1)", "memory-access", 0x1C18FFFD),
    "test and set": (ON_CORE + "li a1, 0x10100000\nhere: lw a0, (a1)", "memory-access", 0x10100000),
    "DMA from the bus": (
        ON_CORE + "li a1, 0x10201800\nhere: lw a0, (a1)", "memory-access", 0x10201800,
    ),
    "timer": ("li a1, 0x1a10b000\nhere: lw a0, 0(a1)", "memory-access", 0x1A10B000),
    "stdout load": ("li a1, 0x1a10f000\nhere: lw a0, 0(a1)", "memory-access", 0x1A10F000),
    "byte register": (ON_CORE + "here: lb a0, 0(s0)", "memory-access", 0x10204000),
    "FC event unit": ("li a1, 0x10204000\nhere: lw a0, 0(a1)", "memory-access", 0x10204000),
    "event register": (ON_CORE + "here: lw a0, 0x18(s0)", "unmodelled-register", None),
    "plain load that waits": (ON_CORE + "here: lw a0, 0x21c(s0)", "unmodelled-register", None),
    "flush beside another core": (
        "cluster 3\ncore: csrr a0, mhartid\nbnez a0, core\nli a1, 0x10201404\n"
        "li a2, 99\n1: addi a2, a2, -1\nbnez a2, 1b\nhere: sw a0, (a1)",
        "unmodelled-register", None,
    ),
    "dispatch": (ON_CORE + "here: p.elw a0, 0x80(s0)", "unmodelled-register", None),
    "interrupts": (ON_CORE + "li a0, 1\nhere: sw a0, 0x0c(s0)", "unmodelled-register", None),
    "masked mutex": (
        ON_CORE + "p.elw a0, 0xc0(s0)\nhere: p.elw a0, 0xc0(s0)",
        "unmodelled-register", None,
    ),
    "unaligned p.elw": (ON_CORE + "here: p.elw a0, 0x21e(s0)", "event-wait", 0x1020421E),
    "p.elw of L1": (ON_CORE + "li a1, 0x10000000\nhere: p.elw a0, (a1)", "event-wait", 0x10000000),
    "p.elw by the FC": ("li a1, 0x10204000\nhere: p.elw a0, 0x3c(a1)", "event-wait", 0x1020403C),
    "start of core 8": ("li a1, 0x10200000\nhere: sw a1, 8(a1)", "unmodelled-register", None),
    "boot address": (
        "li a1, 0x10200000\nli a0, 0x1c010001\nsw a0, 0x40(a1)\nli a0, 1\nhere: sw a0, 8(a1)",
        "misaligned-jump", 0x1C010001,
    ),
    "mret": ("li a0, 0x1c010001\ncsrw mepc, a0\nhere: mret", "misaligned-jump", 0x1C010001),
    "ecall": ("here: ecall", "environment-call", None),
    "ebreak": ("here: ebreak", "breakpoint", None),
    "ebreak, half a frame": ("slli x0, x0, 0x1f\nhere: ebreak\nnop", "breakpoint", None),
    "illegal": ("here: .word 0xffffffff", "illegal-instruction", None),
    "unknown CSR": ("here: csrr a0, 0x7b0", "unmodelled-register", None),
    "read-only CSR": ("here: csrw mcycle, x0", "unmodelled-register", None),
    "executed code": ("li a1, 0x1c010000\nhere: sb x0, 1(a1)", "code-write", CODE + 1),
    "exit register": ("li a1, 0x1a1040a0\nhere: sw x0, 0(a1)", "unmodelled-register", None),
}  # fmt: skip

SEMIHOSTING = {
    "unknown operation": "li a0, 0x10\nli a1, 0\n",
    "write to handle 3": "la a1, block\nli a0, 5\n",
    "block outside": "li a1, 0x20000000\nli a0, 5\n",
    "open mode": "la a1, name\nli a0, 1\n",
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str) -> None:
    text, kind, address = FAULTS[name]
    text = text.replace("p.elw", ".insn i 0x03, 6,")
    outcome = run_text(f"la s1, here\nemit s1\n{text}\nnop\nnop\n")
    assert outcome.fault["kind"] == kind
    assert outcome.fault["address"] == address
    assert outcome.fault["core"] == (0 if "core:" in text else 8)
    assert outcome.fault["pc"] == outcome.words[0]


def test_a_smaller_l1_ends_where_it_ends() -> None:
    text = ON_CORE + "li a1, 0x10010000\nlw a0, -4(a1)\nlw a0, 0(a1)\nfinish\n"
    fault = run_text(text, "--l1-bytes", "65536").fault
    assert (fault["kind"], fault["address"]) == ("memory-access", 0x10010000)
    assert run_text(text, "--l1-bytes", "131072").report["status"] == "exit"
    for size in ("65537", "262144", "x"):
        with pytest.raises(AssertionError, match="--l1-bytes takes a power of two"):
            run_text(text, "--l1-bytes", size)


@pytest.mark.parametrize("name", SEMIHOSTING)
def test_semihosting_fault(name: str) -> None:
    data = 'block: .word 3, 0, 4\nname: .word text, 0, 3\ntext: .asciz ":tt"\n.balign 4\n'
    fault = run_text(f"j 1f\n{data}1:\n{SEMIHOSTING[name]}semihost\n").fault
    assert fault["kind"] == "semihosting"


def test_pc_of_a_fault() -> None:
    for setup in ("", "nop\nnop\n", ".option rvc\nc.nop\n.option norvc\n"):
        text = f"la s1, here\nemit s1\n{setup}here: lw a0, 0(x0)\n"
        outcome = run_text(text)
        assert outcome.fault["pc"] == outcome.words[0]


def test_jump_out_of_memory() -> None:
    fault = run_text("jr x0\n").fault
    assert (fault["kind"], fault["pc"], fault["address"]) == ("instruction-fetch", 0, 0)
    fault = run_text("li a0, 0x1c18fffc\nli a1, 0x13\nsw a1, 0(a0)\njr a0\n").fault
    assert (fault["kind"], fault["pc"]) == ("instruction-fetch", 0x1C190000)


def test_code_may_be_written_before_it_runs() -> None:
    text = """
    li a0, 0x00500513        # li a0, 5
    la a1, hole
    sw a0, 0(a1)
    li a0, 0
hole:
    .word 0
    emit a0
    finish
    """
    assert run_text(text).words == [5]


def test_data_beside_code_may_be_written() -> None:
    assert (
        run_text("j 1f\nword: .word 0\n1: la a1, word\nsw a1, 0(a1)\nfinish\n").report["status"]
        == "exit"
    )


def test_only_the_first_fault_in_time_counts() -> None:
    """Core 5 faults before core 1 although core 1 runs ahead of its memory accesses."""
    text = """
    cluster 0x22
core:
    csrr a0, mhartid
    li a1, 5
    beq a0, a1, 2f
    li a2, 20
1:  addi a2, a2, -1
    bnez a2, 1b
    ebreak
2:  nop
    ecall
    """
    fault = run_text(text).fault
    assert (fault["core"], fault["kind"]) == (5, "environment-call")


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"\x7fELF",
        elf({0x20000000: b"1234"}),
        elf({0x1C18FFFF: b"12"}),
        elf({CODE: b"12"})[:80],
    ],
)
def test_bad_images_are_refused(image: bytes) -> None:
    with pytest.raises(AssertionError, match=r"image\.elf"):
        run(image)


def test_runaway_programs_are_stopped() -> None:
    reads = "cluster 1\ncore:\n1: csrr a0, mcycle\nj 1b\n"
    outcome = run_text(reads)
    assert outcome.fault["kind"] == "counter-reads"
    assert len(outcome.report["counter_reads"]) == 65536


STACKS = ("--stacks", "0x10000000:2048")
SET_STACK = """
    csrr a0, mhartid
    la sp, 0x10000000
    li t1, 2048
    addi t2, a0, 1
    mul t1, t1, t2
    add sp, sp, t1
"""


@pytest.mark.parametrize(
    "move", ["addi sp, sp, -1024\nhere: addi sp, sp, -1040", "li t0, 2064\nhere: sub sp, sp, t0"]
)
def test_stack_overflow(move: str) -> None:
    """Core 2 reaches into core 1's stack."""
    text = f"la s1, here\nemit s1\ncluster 4\ncore:{SET_STACK}{move}\nwfi\n"
    outcome = run_text(text, *STACKS)
    fault = outcome.fault
    assert (fault["kind"], fault["core"]) == ("stack-overflow", 2)
    assert fault["address"] == 0x10000000 + 3 * 2048 - 2064
    assert fault["pc"] == outcome.words[0]
    assert "the stack of core 2 is 0x10001000..0x10001800" in fault["detail"]


def test_stacks_may_be_used_up() -> None:
    text = f"cluster\ncore:{SET_STACK}addi sp, sp, -2048\naddi sp, sp, 2047\naddi sp, sp, 1\n"
    outcome = run_text(text + "bnez a0, park\nfinish\npark: wfi\n", *STACKS)
    assert outcome.report["status"] == "exit"


@pytest.mark.parametrize("value", ["", "5", "0x10000000:", "0x10000000:0", "1:2:3"])
def test_bad_stacks_are_refused(value: str) -> None:
    with pytest.raises(AssertionError, match="--stacks takes BASE:BYTES"):
        run_text("finish\n", "--stacks", value)
