# SPDX-License-Identifier: Apache-2.0
"""The optional parts of the timing: L1 bank conflicts and the instruction caches."""

from __future__ import annotations

import pytest
from xpulp_tools import assemble, results, run

CONFLICTS = ("--bank-conflicts", "on")
ICACHE = ("--icache", "on")


def loads(stride: int, count: int = 20) -> str:
    """Every core loads `count` times from L1 + stride * core; core 0 emits the cycles."""
    return f"""
    cluster
core:
    csrr s2, mhartid
    barrier_setup
    li s1, 0x10000000
    li t1, {stride}
    mul t1, t1, s2
    add s1, s1, t1
    barrier
    csrr s3, mcycle
    {"lw a0, 0(s1);" * count}
    barrier
    csrr s4, mcycle
    bnez s2, park
    sub s4, s4, s3
    emit s4
    finish
park: wfi
    """


@pytest.mark.parametrize("stride", [0, 4, 64])
def test_conflicts_are_off_by_default(stride: int) -> None:
    assert results(loads(stride)) == [1 + 20 + 5]


def test_one_bank_serves_one_access_per_cycle() -> None:
    for stride in (0, 64, 128):  # the same word, or the same bank (16 banks of words)
        assert results(loads(stride), *CONFLICTS) == [1 + 8 * 20 + 5]


def test_different_banks_do_not_conflict() -> None:
    for stride in (4, 12, 20, 68):
        assert results(loads(stride), *CONFLICTS) == [1 + 20 + 5]


def test_two_cores_per_bank_share_it() -> None:
    assert results(loads(16), *CONFLICTS) == [1 + 2 * 20 + 5]


def test_results_do_not_depend_on_timing_options() -> None:
    text = loads(0).replace("emit s4", "li a0, 77\nemit a0")
    for options in ((), CONFLICTS, ICACHE, CONFLICTS + ICACHE):
        assert results(text, *options) == [77]


def test_a_skew_spreads_the_cores_in_another_order_after_each_barrier() -> None:
    usual = results(loads(4))
    assert results(loads(4), "--barrier-skew", "0") == usual
    # The last core comes 7 places late, and core 0 leaves a place later than the time before.
    assert results(loads(4), "--barrier-skew", "2000") == [usual[0] + 8 * 2000]
    text = loads(4).replace("emit s4", "li a0, 77\nemit a0")
    assert results(text, "--barrier-skew", "2000") == [77]
    for value in ("", "x", "-1", "100001"):
        with pytest.raises(AssertionError, match="--barrier-skew takes cycles"):
            results(text, "--barrier-skew", value)


def exchange(reads: int) -> str:
    """Core 0 reads mcycle `reads` times, the last two around loads of all cores from one bank; then
    each core adds its neighbour's sum to its own, forty times. Core 0 emits time and sum."""
    return f"""
    cluster
core:
    csrr s2, mhartid
    barrier_setup
    li s1, 0x10004000
    slli t1, s2, 2
    add s5, s1, t1
    addi t1, s2, 1
    andi t1, t1, 7
    slli t1, t1, 2
    add s6, s1, t1
    addi s7, s2, 3
    li s8, 40
    bnez s2, join
    {"csrr s3, mcycle;" * (reads - 2)}
join:
    barrier
    csrr s3, mcycle
    {"lw a0, 0(s1);" * 20}
    barrier
    csrr s4, mcycle
    sub s4, s4, s3
again:
    sw s7, 0(s5)
    barrier
    lw t1, 0(s6)
    add s7, s7, t1
    barrier
    addi s8, s8, -1
    bnez s8, again
    bnez s2, park
    emit s4
    emit s7
    finish
park: wfi
    """


def test_what_the_harness_times_is_exact_and_what_follows_has_the_same_values() -> None:
    stacks = ("--stacks", "0x10000000:2048", *CONFLICTS)
    exact = results(exchange(4), *CONFLICTS)
    assert exact[0] == 1 + 8 * 20 + 5
    assert results(exchange(4), *stacks) == exact
    # Everything from the fourth read on is untimed: nobody waits for a bank there.
    late = results(exchange(8), *stacks)
    assert late[1] == exact[1]
    assert late[0] < exact[0]


def straight(count: int, enable: bool = True) -> str:
    """Core 0 runs `count` additions twice, starting on a line; both times are emitted."""
    enabled = "li t0, 0x10201400\nli t1, -1\nsw t1, 0(t0)" if enable else ""
    return f"""
    cluster 1
core:
    {enabled}
    li s5, 2
    j again
    .balign 16
again:
    csrr s3, mcycle
    {"add a0, a0, a0;" * (count - 2)}
    csrr s4, mcycle
    sub s4, s4, s3
    emit s4
    addi s5, s5, -1
    beqz s5, done
    j again
done:
    finish
    """


def test_private_cache_hits_are_free_and_misses_cost_18() -> None:
    cold, warm = results(straight(16), *ICACHE)
    assert cold == 15 + 4 * 18  # a read acts before the wait for its own line
    assert warm == 15


def test_shared_cache_hits_cost_2() -> None:
    """256 additions are 1 KB: too much for a private cache, not for the shared one, although
    its pseudo-random replacement loses a few lines."""
    cold, warm = results(straight(256), *ICACHE)
    assert cold == 255 + 64 * 18
    assert warm == 373


def test_disabled_caches_fetch_every_line_from_l2() -> None:
    assert results(straight(64, enable=False), *ICACHE) == [63 + 16 * 14] * 2


def test_flush() -> None:
    flush = "li t0, 0x10201404\nsw t0, 0(t0)\nj again\ndone:"
    cold, warm = results(straight(64).replace("j again\ndone:", flush), *ICACHE)
    assert cold == warm


def test_the_same_report_every_time() -> None:
    image = assemble(loads(4))
    reports = [run(image, *CONFLICTS, *ICACHE).report for _ in range(2)]
    assert reports[0] == reports[1]


@pytest.mark.parametrize("option", ["--bank-conflicts", "--icache"])
def test_options_take_on_or_off(option: str) -> None:
    with pytest.raises(AssertionError, match="on or off"):
        run(assemble("finish\n"), option, "maybe")
