# SPDX-License-Identifier: Apache-2.0
"""The cluster DMA. The cycles are those that GVSOC takes for the same programs."""

from __future__ import annotations

import pytest
from xpulp_tools import L1, Outcome, run_text

IN, OUT = 1 << 17, 0
INCREMENT, PLANE, SIGNAL, INTERRUPT = 1 << 18, 1 << 19, 1 << 20, 1 << 21
INNER, OUTER = L1 + 0x2000, 0x1C120000

POLL = "2: lw a1, 4(s1)\nand a1, a1, a4\nbnez a1, 2b\n"
WAIT = """
2: lw a1, 4(s1)
and a1, a1, a4
beqz a1, 3f
.insn i 0x03, 6, t0, 0x3c(s3)
j 2b
3:
"""


def transfer(
    flags: int,
    inner: int = INNER,
    outer: int = OUTER,
    plane: tuple[int, int] | None = None,
    count: int = 1,
    wait: str = POLL,
    before: str = "",
) -> str:
    """Core 1 issues `count` commands twice and emits, each time, the cycles from the allocation to
    the last command, to completion, and to the release of the counter."""
    line = "" if plane is None else f"li t4, {plane[0]}\nli t5, {plane[1]}"
    command = "sw t1, 0(s1)\nsw t2, 0(s1)\nsw t3, 0(s1)\n"
    command += "" if plane is None else "sw t4, 0(s1)\nsw t5, 0(s1)\n"
    kind = flags | INCREMENT | (PLANE if plane else 0)
    return f"""
    li t0, -1
    li t1, 0x10201400
    sw t0, (t1)
    cluster 2
core:
    li s1, 0x10204400
    li s3, 0x10204000
    li t0, 1 << 8
    sw t0, 8(s3)
    li s5, 2
    {before}
    j again
    .balign 64
again:
    li t1, {kind}
    li t2, {inner}
    li t3, {outer}
    {line}
    csrr s8, mcycle
    lw a3, 0(s1)
    {command * count}
    csrr s9, mcycle
    li a4, 1
    sll a4, a4, a3
    {wait}
    csrr s10, mcycle
    sw a4, 4(s1)
    csrr a7, mcycle
    sub s9, s9, s8
    sub a6, s10, s8
    sub a7, a7, s8
    emit s9
    emit a6
    emit a7
    addi s5, s5, -1
    bnez s5, again
    """


def outcome(program: str, *options: str) -> Outcome:
    return run_text(program, "--icache", "on", *options)


# Recorded from GVSOC 209c147 (instruction caches on).
RECORDED = {
    "in 4": (transfer(4 | IN), [41, 66, 86, 5, 12, 14]),
    "out 4": (transfer(4 | OUT), [41, 66, 86, 5, 12, 14]),
    "in 64": (transfer(64 | IN), [41, 66, 86, 5, 24, 26]),
    "in 512": (transfer(512 | IN), [41, 96, 116, 5, 78, 80]),
    "out 512": (transfer(512 | OUT), [41, 96, 116, 5, 78, 80]),
    "in 4096": (transfer(4096 | IN), [23, 545, 547, 5, 528, 530]),
    "out 4096": (transfer(4096 | OUT), [23, 557, 559, 5, 540, 542]),
    "in 65532": (transfer(65532 | IN), [41, 8226, 8246, 5, 8208, 8210]),
    "out 65532": (transfer(65532 | OUT), [41, 8478, 8498, 5, 8460, 8462]),
    "odd in": (transfer(301 | IN, INNER + 3, OUTER + 1), [23, 72, 74, 5, 54, 56]),
    "plane in": (transfer(1024 | IN, plane=(32, 96)), [43, 164, 184, 7, 146, 148]),
    "plane out": (transfer(1024 | OUT, plane=(32, 96)), [43, 194, 214, 7, 176, 178]),
    "long lines in": (
        transfer(2100 | IN, INNER + 1, plane=(300, 333)), [43, 320, 340, 7, 284, 286],
    ),
    "event in": (transfer(4096 | IN | SIGNAL, wait=WAIT), [23, 549, 569, 5, 531, 533]),
    "event out": (transfer(4096 | OUT | SIGNAL, wait=WAIT), [23, 564, 584, 5, 546, 548]),
    "full queue in": (transfer(64 | IN, count=16), [284, 309, 329, 58, 143, 145]),
    "full queue out": (transfer(64 | OUT, count=16), [284, 309, 329, 58, 161, 163]),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDED)
def test_cycles(name: str) -> None:
    program, want = RECORDED[name]
    assert outcome(program + "finish\n").words == want


def test_cores_and_dma_share_the_banks() -> None:
    loads = "lw t6, 0(t2)\nlw t6, 4(t2)\n" * 20
    for direction in (IN, OUT):
        program = transfer(512 | direction, wait=loads + POLL) + "finish\n"
        assert outcome(program, "--bank-conflicts", "on").words == [41, 286, 306, 7, 82, 84]


FILL = f"li t0, {OUTER}\nli t1, 64\n1: sw t1, (t0)\naddi t0, t0, 4\naddi t1, t1, -1\nbnez t1, 1b\n"


def test_data_of_a_plane() -> None:
    """Lines of 6 bytes, 16 apart, become contiguous; then they go back, 8 apart."""
    program = transfer(18 | IN, plane=(6, 16), before=FILL)
    program += "".join(f"lw a0, {at}(t2)\nemit a0\n" for at in (0, 4, 8, 12, 16))
    first = outcome(program + "finish\n").words[6:]
    outer = b"".join(word.to_bytes(4, "little") for word in range(64, 0, -1))
    inner = b"".join(outer[16 * line : 16 * line + 6] for line in range(3)).ljust(20, b"\0")
    assert first == [int.from_bytes(inner[at : at + 4], "little") for at in range(0, 20, 4)]

    store = f"li t0, {INNER}\nli t1, 0x04030201\nsw t1, (t0)\nsw t1, 4(t0)\nsw t1, 8(t0)\n"
    program = transfer(12 | OUT, plane=(3, 8), before=FILL + store)
    program += "".join(f"lw a0, {4 * word}(t3)\nemit a0\n" for word in range(8))
    want = bytearray(outer[:32])
    for line in range(4):
        want[8 * line : 8 * line + 3] = (bytes([1, 2, 3, 4]) * 3)[3 * line : 3 * line + 3]
    words = outcome(program + "finish\n").words[6:]
    assert words == [int.from_bytes(want[at : at + 4], "little") for at in range(0, 32, 4)]


def test_a_broadcast_event_reaches_every_core() -> None:
    text = f"""
    cluster
core:
    csrr s2, mhartid
    barrier_setup
    li t0, 1 << 8
    sw t0, 8(s0)
    bnez s2, sleep
    li s1, 0x10204400
    lw a0, (s1)
    li t1, {64 | IN | INCREMENT | SIGNAL | 1 << 22}
    li t2, {INNER}
    li t3, {OUTER}
    sw t1, (s1)
    sw t2, (s1)
    sw t3, (s1)
sleep:
    .insn i 0x03, 6, a0, 0x3c(s0)
    barrier
    bnez s2, park
    emit a0
    finish
park: wfi
    """
    assert outcome(text).words == [1 << 8]


def test_a_seventeenth_counter_is_waited_for() -> None:
    text = (
        """
    cluster 3
core:
    csrr s2, mhartid
    li s1, 0x10204400
    bnez s2, second
    """
        + "lw a0, (s1)\n" * 17
        + """
    emit a0
    finish
second:
    li t0, 200
1:  addi t0, t0, -1
    bnez t0, 1b
    li a0, 1 << 5
    sw a0, 4(s1)
    wfi
    """
    )
    assert outcome(text).words == [5]
    stuck = outcome(text.replace("sw a0, 4(s1)", "nop")).fault
    assert stuck["kind"] == "deadlock"
    assert "core 0 for a DMA counter" in stuck["detail"]


# program, kind, address
FAULTS = {
    "past L1": (transfer(64 | IN, L1 + 0x20000 - 60), "dma", L1 + 0x20000 - 60),
    "past L2": (transfer(64 | IN, outer=0x1C190000 - 63), "dma", 0x1C190000 - 63),
    "last line past L2": (
        transfer(64 | IN, outer=0x1C18FF00, plane=(16, 96)), "dma", 0x1C18FF00,
    ),
    "into L2 as L1": (transfer(64 | IN, inner=OUTER), "dma", OUTER),
    "empty": (transfer(IN), "dma", None),
    "part of a line": (transfer(20 | IN, plane=(16, 16)), "dma", None),
    "interrupt": (transfer(64 | IN | INTERRUPT), "dma", None),
    "plane in L1": (transfer(64 | IN | 1 << 23), "dma", None),
    "no counter": (transfer(64 | IN).replace("lw a3, 0(s1)", ""), "dma", None),
    "freed too early": (transfer(512 | IN, wait=""), "dma", None),
    "onto code": (transfer(64 | OUT, outer=0x1C010000), "code-write", 0x1C010000),
    "at the end": (
        transfer(4096 | IN, wait="finish\n"), "dma-in-flight", None,
    ),
    "at a result": (transfer(512 | IN, wait="emit a4\n"), "dma-in-flight", None),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str) -> None:
    program, kind, address = FAULTS[name]
    fault = outcome(program + "finish\n").fault
    assert (fault["kind"], fault["core"], fault["address"]) == (kind, 1, address)


def test_in_flight_when_a_kernel_has_returned() -> None:
    """With --stacks, every second counter read of core 0 ends a run of a kernel."""
    program = transfer(512 | IN, wait=POLL).replace("cluster 2", "cluster 1") + "finish\n"
    assert outcome(program).report["status"] == "exit"
    fault = outcome(program, "--stacks", "0x10000000:2048").fault
    assert (fault["kind"], fault["core"]) == ("dma-in-flight", 0)
    assert "bytes when the kernel has returned" in fault["detail"]
