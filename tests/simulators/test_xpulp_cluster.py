# SPDX-License-Identifier: Apache-2.0
"""Eight cores: start, barriers, events, mutexes, deadlock, limits, determinism."""

from __future__ import annotations

import pytest
from xpulp_tools import CODE, L1, assemble, results, run, run_text


def everybody(body: str, after: str = "") -> str:
    """All cores run `body`; core 0 then `after` and the end of the run."""
    return f"""
    cluster
core:
    csrr s2, mhartid
    barrier_setup
    {body}
    barrier
    bnez s2, park
    {after}
    finish
park:
    wfi
    j park
    """


def test_identity_and_start() -> None:
    text = """
    csrr a0, mhartid
    emit a0
    csrr a0, 0x014
    emit a0
    """ + everybody(
        "slli t1, s2, 2\nli t2, 0x10000100\nadd t1, t1, t2\ncsrr t2, 0x014\nsw t2, 0(t1)",
        "li s3, 0x10000100\n" + "".join(f"lw a0, {4 * n}(s3)\nemit a0\n" for n in range(8)),
    )
    assert results(text) == [0x3E0, 0x3E0, *range(8)]


@pytest.mark.parametrize("spin", ["li t1, 8\nsub t1, t1, s2", "addi t1, s2, 1"])
def test_barrier_waits_for_the_last_core(spin: str) -> None:
    """Core 0 arrives last, then core 7."""
    body = f"""
    {spin}
    slli t1, t1, 5
1:  addi t1, t1, -1
    bnez t1, 1b
    slli t1, s2, 2
    li t2, {L1:#x}
    add t1, t1, t2
    csrr t3, mcycle
    sw t3, 0(t1)
    barrier
    csrr t3, mcycle
    sw t3, 32(t1)
    """
    dump = f"li s3, {L1:#x}\n" + "".join(f"lw a0, {4 * n}(s3)\nemit a0\n" for n in range(16))
    words = results(everybody(body, dump))
    arrivals, departures = words[:8], words[8:]
    assert len(set(arrivals)) == 8
    assert len(set(departures)) == 1
    assert departures[0] == max(arrivals) + 1 + 1 + 5  # csrr, sw, then p.elw of the last core


def test_barriers_synchronise_memory_many_times() -> None:
    """Core n adds core n+1's counter to its own, 50 times, with two barriers between steps."""
    body = f"""
    li s3, {L1:#x}
    slli t1, s2, 2
    add s4, s3, t1
    addi t2, s2, 1
    andi t2, t2, 7
    slli t2, t2, 2
    add s5, s3, t2
    addi t3, s2, 1
    sw t3, 0(s4)
    li s6, 50
1:  barrier
    lw t3, 0(s5)
    barrier
    lw t4, 0(s4)
    add t4, t4, t3
    sw t4, 0(s4)
    addi s6, s6, -1
    bnez s6, 1b
    """
    dump = "".join(f"lw a0, {4 * n}(s3)\nemit a0\n" for n in range(8))
    values = list(range(1, 9))
    for _ in range(50):
        values = [(values[n] + values[(n + 1) % 8]) & 0xFFFFFFFF for n in range(8)]
    assert results(everybody(body, dump)) == values


@pytest.mark.parametrize("number", [0, 1, 7])
def test_every_barrier_with_a_team(number: int) -> None:
    """Cores 0..3 meet at one barrier while the others go on to the last one."""
    base = 0x200 + 0x20 * number
    text = f"""
    cluster
core:
    csrr s2, mhartid
    barrier_setup
    li t0, 0xff
    sw t0, 0x300(s0)
    sw t0, 0x30c(s0)
    li t0, 0x0f
    sw t0, {base}(s0)
    sw t0, {base + 0x0C}(s0)
    .insn i 0x03, 6, t0, 0x31c(s0)
    li t1, 4
    bgeu s2, t1, end
    .insn i 0x03, 6, s3, {base + 0x1C}(s0)
end:
    .insn i 0x03, 6, t0, 0x31c(s0)
    bnez s2, park
    emit s3
    lw a0, {base + 4}(s0)
    emit a0
    lw a0, {base + 0x0C}(s0)
    emit a0
    finish
park:
    wfi
    """
    assert results(text) == [1 << 16, 0, 0x0F]


def test_software_events() -> None:
    text = """
    cluster 3
core:
    csrr s2, mhartid
    li s0, 0x00204000        # the alias
    li t0, 4
    sw t0, 8(s0)             # mask: software event 2
    bnez s2, other
    .insn i 0x03, 6, a0, 0x3c(s0)
    emit a0
    lw a0, 0x1c(s0)          # the event was cleared
    emit a0
    finish
other:
    li t0, 100
1:  addi t0, t0, -1
    bnez t0, 1b
    li t0, 1
    sw t0, 0x104(s0)         # event 1 to core 0: masked there
    sw t0, 0x108(s0)         # event 2 to core 0
    wfi
    """
    assert results(text) == [4, 2]


def test_event_from_the_controller_and_one_that_is_already_there() -> None:
    text = """
    li t2, 0x10200e00
    sw x0, 12(t2)             # event 3 to all cores, before they start
    cluster 1
core:
    li s0, 0x10204000
    li t0, 8
    sw t0, 0(s0)
    lw a0, 0(s0)
    emit a0
    csrr s3, mcycle
    .insn i 0x03, 6, a0, 0x38(s0)
    csrr s4, mcycle
    emit a0
    sub a0, s4, s3
    emit a0
    lw a0, 0x20(s0)           # EVENT_WAIT does not clear
    emit a0
    sw a0, 0x28(s0)
    lw a0, 0x20(s0)
    emit a0
    finish
    """
    assert results(text) == [8, 8, 6, 8, 0]


def test_mutex_orders_the_cores() -> None:
    """Each core increments a counter 20 times with a slow read-modify-write under the mutex."""
    body = f"""
    li s3, {L1:#x}
    li s4, 20
1:  .insn i 0x03, 6, t0, 0xc0(s0)
    lw t1, 0(s3)
    nop
    addi t1, t1, 1
    nop
    sw t1, 0(s3)
    sw x0, 0xc0(s0)
    addi s4, s4, -1
    bnez s4, 1b
    """
    assert results(everybody(body, "lw a0, 0(s3)\nemit a0\n")) == [160]


def test_deadlock() -> None:
    outcome = run_text("cluster 0x0f\ncore:\nbarrier_setup\nhere: barrier\nnop\n")
    fault = outcome.fault
    assert fault["kind"] == "deadlock"
    assert fault["core"] == 0
    assert CODE < fault["pc"] < CODE + 0x100
    assert "cores 0,1,2,3 at barrier 0, which lacks cores 4,5,6,7, pc 0x1c01" in fault["detail"]
    assert "core 8 in wfi" in fault["detail"]


def test_barrier_that_one_core_never_reaches() -> None:
    text = """
    cluster
core:
    csrr s2, mhartid
    barrier_setup
    li t1, 3
    beq s2, t1, astray
    barrier
astray:
    {end}
    """
    asleep = run_text(text.format(end="wfi")).fault
    assert asleep["kind"] == "deadlock"
    assert "cores 0,1,2,4,5,6,7 at barrier 0, which lacks core 3, pc" in asleep["detail"]
    assert "; core 3 in wfi, pc" in asleep["detail"]
    report = run_text(text.format(end="j astray")).report
    assert report["status"] == "limit"
    assert (report["fault"]["core"], report["fault"]["kind"]) == (3, "limit")
    assert "which lacks core 3" in report["fault"]["detail"]


def test_masked_event_never_wakes() -> None:
    text = "cluster 1\ncore:\nbarrier_setup 1\nsw x0, 0(s0)\nbarrier\nfinish\n"
    assert run_text(text).fault["kind"] == "deadlock"


def test_the_controller_alone_asleep_is_a_deadlock() -> None:
    assert run_text("wfi\n").fault["kind"] == "deadlock"


def test_limit_is_exact() -> None:
    endless = "cluster\ncore:\n1: j 1b\n"
    for limit in (1, 17, 5000, 100_001):
        report = run_text(endless, limit=limit).report
        assert (report["status"], report["instructions"]) == ("limit", limit)
        assert (report["fault"] is None) == (report["status"] == "exit")


def test_exit_codes() -> None:
    assert run_text("finish 7\n").report["exit_code"] == 7
    store = "li t0, 0x1a1040a0\nli t1, 0x80000005\nsw t1, 0(t0)\n"
    assert run_text(store).report["exit_code"] == 5
    assert run_text("li a0, 0x18\nli a1, 0x20026\nsemihost\n").report["exit_code"] == 0
    assert run_text("li a0, 0x18\nli a1, 0x20023\nsemihost\n").report["exit_code"] == 1


def test_counter_reads_are_core_zero_only() -> None:
    text = everybody("csrr t3, mcycle\nnop\nnop", "csrr a0, mcycle\nemit a0\n")
    outcome = run_text(text)
    reads = outcome.report["counter_reads"]
    assert len(reads) == 2
    assert reads[1][0] == outcome.words[0]
    cycles, instructions = zip(*reads, strict=True)
    assert list(cycles) == sorted(cycles)
    assert list(instructions) == sorted(instructions)
    assert 0 < instructions[1] < outcome.report["instructions"]


def test_same_image_same_report() -> None:
    text = everybody("li s4, 30\n1: lw t1, 0(s0)\nbarrier\naddi s4, s4, -1\nbnez s4, 1b")
    first, second = run(assemble(text)), run(assemble(text))
    assert first.report == second.report


def test_shared_accesses_happen_in_cycle_order() -> None:
    """Unsynchronised increments: with eight equal cores every lost update is predictable."""
    body = f"li s3, {L1:#x}\nbarrier\nlw t1, 0(s3)\naddi t1, t1, 1\nsw t1, 0(s3)\n"
    assert results(everybody(body, "lw a0, 0(s3)\nemit a0\n")) == [1]
    staggered = body.replace("lw t1", "slli t2, s2, 6\n1: addi t2, t2, -1\nbgtz t2, 1b\nlw t1")
    assert results(everybody(staggered, "lw a0, 0(s3)\nemit a0\n")) == [8]


def test_at_equal_cycles_the_lower_core_goes_first() -> None:
    """Core 0 divides, core 1 does as many additions; both then store to one word."""
    text = f"""
    cluster 3
core:
    csrr s2, mhartid
    barrier_setup 3
    li s3, {L1:#x}
    li t1, 1
    addi t2, s2, 50
    barrier
    beqz s2, 1f
    {"nop;" * 38}
    sw t2, 0(s3)
    j 2f
1:  nop
    nop
    divu t3, t2, t1
    sw t2, 0(s3)
    nop
2:  barrier
    bnez s2, park
    lw a0, 0(s3)
    emit a0
    finish
park: wfi
    """
    # Core 0: branch 3, nops 2, division 34; core 1: branch 1, nops 38. Both store in one cycle.
    late = text.replace("1:  nop\n    nop\n", "1:  nop\n    nop\n    nop\n", 1)
    early = text.replace("1:  nop\n    nop\n", "1:  nop\n", 1)
    assert [results(t) for t in (early, text, late)] == [[51], [51], [50]]


def test_log_and_stdout() -> None:
    text = """
    li t0, 0x1a10f000
    li t1, 'h'
    sw t1, 0(t0)
    li t1, 'i'
    sb t1, 0x88(t0)
    finish
    """
    outcome = run_text(text)
    assert outcome.log == b"hi"
    assert outcome.stream == b""
