# SPDX-License-Identifier: Apache-2.0
"""The small programs: what takes time on a PULP cluster, one thing a program.

Ids are `group/name`. Bodies use the registers that assembly.FREE names; see there for what s0 to s3
point to.
"""

from __future__ import annotations

from dataclasses import dataclass

from touchstone.fidelity.mnemonics import (
    ONE_OPERAND,
    REGISTERS,
    branch_equal_immediate,
    hardware_loop,
    hardware_loop_immediate,
    lines,
    load_indexed,
    load_post,
    store_post,
    three,
    times,
    two,
)

ALL = 8


@dataclass(frozen=True)
class Program:
    """A body with what comes before it (untimed) and data behind it.

    `exact`: nothing but one kind of instruction: both simulators must count the same cycles.
    """

    id: str
    body: str
    setup: str = ""
    data: str = ""
    cores: int = 1
    exact: bool = False


def latency_programs() -> list[Program]:
    """Every latency of the core, one instruction each, with and without a use of its result."""
    found = [_single(name, text) for name, text in _LATENCIES.items()]
    for name in REGISTERS:
        found.append(_single(name, times(6, three(name, "a0", "a1", "a2"))))
    for name in ONE_OPERAND:
        found.append(_single(name, times(6, two(name, "a0", "a1"))))
    divisors = {"1": 1, "2": 2, "2p15": 1 << 15, "2p30": 1 << 30, "minus1": -1, "minus8": -8}
    for word, value in divisors.items():
        body = lines("div a0, a1, a2", "rem a3, a1, a2", "divu a4, a1, a2", "remu a5, a1, a2")
        found.append(_single(f"division-by-{word}", body, setup=lines(f"li a2, {value}")))
    return found


def _single(name: str, body: str, setup: str = "") -> Program:
    return Program(f"latency/{name}", body, setup, exact=True)


_LATENCIES = {
    "nothing": "",
    "alu": lines("add a0, a1, a2", "sub a1, a0, a3", "xor a2, a1, a0", "sltu a3, a2, a1"),
    "alu-immediate": lines("addi a0, a1, 7", "slli a1, a0, 3", "srai a2, a1, 2", "lui a3, 5"),
    "csr-read": times(4, lines("csrr a0, mhartid")),
    "load": times(8, lines("lw a0, 0(s1)")),
    "load-use": times(8, lines("lw a0, 0(s1)", "add a1, a0, a1")),
    "load-one-between": times(8, lines("lw a0, 0(s1)", "nop", "add a1, a0, a1")),
    "load-byte-use": times(4, lines("lbu a0, 3(s1)", "add a1, a0, a1")),
    "load-post": times(8, load_post("lw", "a0", "s1", 4)) + lines("addi s1, s1, -32"),
    "load-post-use": times(4, load_post("lw", "a0", "s1", 4) + lines("add a1, a1, a0"))
    + lines("addi s1, s1, -16"),
    "load-indexed": lines("li a2, 12") + times(6, load_indexed("lw", "a0", "s1", "a2")),
    "store": times(8, lines("sw a0, 0(s1)")),
    "store-post": times(8, store_post("sw", "a0", "s1", 4)) + lines("addi s1, s1, -32"),
    "store-byte": times(4, lines("sb a0, 1(s1)")),
    "load-misaligned": times(6, lines("lw a0, 1(s1)")),
    "load-half-misaligned": times(6, lines("lh a0, 3(s1)")),
    "store-misaligned": times(6, lines("sw a0, 2(s1)")),
    "branch-not-taken": times(6, lines("bne a0, a0, 1f")) + "1:\n",
    "branch-taken": times(6, lines("beq a0, a0, 1f", "nop") + "1:\n"),
    "branch-immediate": lines("li a0, 5")
    + times(4, branch_equal_immediate("a0", 5, "1f") + lines("nop") + "1:\n")
    + times(4, branch_equal_immediate("a0", 6, "1f"))
    + "1:\n",
    "jump": times(6, lines("j 1f", "nop") + "1:\n"),
    "call-return": times(4, lines("jal ra, 1f", "j 2f") + "1:" + lines("ret") + "2:\n")
    + lines("li ra, 0"),
    "mul": times(6, lines("mul a0, a1, a2")),
    "mul-use": times(6, lines("mul a0, a1, a2", "add a3, a0, a3")),
    "mul-one-between": times(6, lines("mul a0, a1, a2", "nop", "add a3, a0, a3")),
    "mulh": times(4, lines("mulh a0, a1, a2")),
    "mulhu": times(4, lines("mulhu a0, a1, a2")),
    "mulhsu": times(4, lines("mulhsu a0, a1, a2")),
    "mulh-use": times(4, lines("mulh a0, a1, a2", "add a3, a0, a3")),
    "l2-load": times(4, lines("lw a0, 0(s3)")),
    "l2-load-use": times(4, lines("lw a0, 0(s3)", "add a1, a0, a1")),
    "l2-store": times(4, lines("sw a0, 0(s3)")),
    "cluster-control": lines("li a4, 0x10200000")
    + times(4, lines("lw a0, 0x40(a4)"))
    + lines("li a0, 0"),
    "event-unit": times(4, lines("lw a0, 0x20(s0)")) + lines("li a0, 0"),
    "loop-setup": times(
        4, hardware_loop_immediate(0, 1, lines("add a0, a0, a1", "add a2, a2, a3"), 2)
    ),
}


def hazard_programs() -> list[Program]:
    """Results that are used too early, by whatever can use them."""
    loaded = "lw a0, 0(s1)"
    uses = {
        "to-mac": three("p.mac", "a0", "a1", "a2"),
        "to-sdot": three("pv.sdotsp.b", "a0", "a1", "a2"),
        "to-store-data": lines("sw a0, 4(s1)"),
        "to-branch": lines("beq a0, a1, 1f") + "1:\n",
        "to-mul": lines("mul a3, a0, a0"),
        "to-division": lines("div a3, a1, a0"),
        "to-load": lines("lw a0, 8(s1)"),
        "to-post-store": store_post("sw", "a0", "s1", 4) + lines("addi s1, s1, -4"),
    }
    found = [
        Program(f"hazard/load-{name}", times(6, lines(loaded) + use)) for name, use in uses.items()
    ]
    chase = lines("sw s1, 0(s1)", "mv a4, s1") + times(8, lines("lw a4, 0(a4)")) + lines("li a4, 0")
    found.append(Program("hazard/pointer-chase", chase, setup=lines("sw s1, 0(s1)")))
    found.append(Program("hazard/mul-chain", times(8, lines("mul a0, a0, a1"))))
    found.append(Program("hazard/mac-chain", times(8, three("p.mac", "a0", "a1", "a2"))))
    mixed = lines("mul a0, a1, a2", loaded, "add a3, a0, a3", "mulhu a4, a0, a3", "sub a5, a4, a3")
    found.append(Program("hazard/mixed", times(4, mixed)))
    return found


def branch_programs() -> list[Program]:
    """Branches in loops, and targets at every place in a line of the instruction cache."""
    loop = "1:" + lines("add a0, a0, a1", "addi t1, t1, -1", "bnez t1, 1b")
    found = [Program("branch/backward-loop", lines("li t1, 50") + loop)]
    parity = "1:" + lines("andi a2, t1, 1", "beqz a2, 2f", "add a0, a0, a1") + "2:"
    parity += lines("addi t1, t1, -1", "bnez t1, 1b")
    found.append(Program("branch/alternating", lines("li t1, 40") + parity))
    for offset in range(0, 16, 2):
        compressed = "    .option rvc\n" + times(offset // 2, lines("c.nop")) + "1:"
        body = compressed + lines("c.addi a0, 1") + "    .option norvc\n"
        body += lines("add a1, a1, a0", "addi t1, t1, -1", "bnez t1, 1b")
        padding = "    .balign 4\n"
        text = lines("li t1, 20", "nop", "nop", "nop") + body
        found.append(Program(f"branch/target-at-{offset}", text + padding))
    table = lines("la a4, 1f", "jr a4", "nop") + "1:" + lines("li a4, 0")
    found.append(Program("branch/indirect", times(4, table)))
    return found


def loop_programs() -> list[Program]:
    """Hardware loops: nested, with one end, counts 0 and 1, compressed ends, long bodies."""
    work = lines("add a0, a0, a1", "xor a2, a2, a0")
    inner = hardware_loop(0, "a4", work, 2)
    nested = lines("li a4, 5", "li a5, 7")
    same_end = hardware_loop(1, "a5", lines("addi a3, a3, 1") + inner, 4)
    two_ends = hardware_loop(1, "a5", lines("addi a3, a3, 1") + inner + lines("addi a6, a6, 2"), 5)
    long = times(60, work)
    found = [
        Program("loop/simple", lines("li a4, 30") + inner),
        Program("loop/immediate", hardware_loop_immediate(0, 30, work, 2)),
        Program("loop/nested", nested + two_ends),
        Program("loop/nested-same-end", nested + same_end),
        Program("loop/count-0", lines("li a4, 0") + inner + lines("nop")),
        Program("loop/count-1", lines("li a4, 1") + inner + lines("nop")),
        Program(
            "loop/one-instruction",
            lines("li a4, 9") + hardware_loop(0, "a4", work[: work.index("\n") + 1], 1),
        ),
        Program(
            "loop/longer-than-a-line",
            lines("li a4, 10") + hardware_loop(0, "a4", times(5, work), 10),
        ),
        Program(
            "loop/longer-than-the-private-cache",
            lines("li a4, 6") + hardware_loop(0, "a4", times(2, long), 240),
        ),
    ]
    load = load_post("lw", "a0", "s1", 4) + three("pv.sdotsp.b", "a3", "a0", "a1")
    rewind = lines("addi s1, s1, -64")
    found.append(
        Program("loop/load-use", lines("li a4, 16") + hardware_loop(0, "a4", load, 2) + rewind)
    )
    end = "    .option rvc\n" + lines("c.add a0, a1", "c.add a2, a0") + "    .option norvc\n"
    # Two compressed instructions have the last one's address of a body of one and a half.
    setup = "    .insn i 0x7b, 4, x0, a4, 3  # lp.setup\n"
    found.append(Program("loop/compressed-end", lines("li a4, 12") + setup + end))
    return found


def memory_programs() -> list[Program]:
    """L1 banks, L2 and the instruction caches under eight cores."""
    sweep = times(16, load_post("lw", "a0", "a4", 4) + lines("add a1, a1, a0"))
    rows = times(16, lines("lw a0, 0(a4)", "addi a4, a4, 32", "add a1, a1, a0"))
    stores = times(16, store_post("sw", "a0", "a4", 4))
    copy = times(8, load_post("lw", "a0", "a4", 4) + store_post("sw", "a0", "a5", 4))
    own, shared, far = lines("mv a4, s1"), lines("mv a4, s2"), lines("mv a4, s3")
    both = lines("mv a4, s1", "addi a5, s1, 0x100")
    done = lines("li a4, 0", "li a5, 0")
    found = []
    for cores in (2, 5, ALL):
        end = f"{cores}-cores"
        found += [
            Program(f"bank/one-bank-{end}", times(16, lines("lw a0, 0(s1)")), cores=cores),
            Program(f"bank/walk-{end}", sweep + done, own, cores=cores),
            Program(f"bank/neighbours-{end}", rows + done, shared, cores=cores),
            Program(f"bank/store-{end}", stores + done, own, cores=cores),
            Program(f"bank/copy-{end}", copy + done, both, cores=cores),
            Program(
                f"l2/load-{end}", times(8, load_post("lw", "a0", "a4", 4)) + done, far, cores=cores
            ),
        ]
    found.append(
        Program(
            "l2/copy-in",
            times(8, load_post("lw", "a0", "a4", 4) + store_post("sw", "a0", "a5", 4)) + done,
            lines("mv a4, s3", "mv a5, s1"),
            cores=ALL,
        )
    )
    straight = times(300, lines("add a0, a0, a1", "xor a2, a2, a0"))
    found.append(Program("code/straight-1-core", straight))
    found.append(Program("code/straight-8-cores", straight, cores=ALL))
    found.append(Program("code/larger-than-the-shared-cache", times(4, straight), cores=ALL))
    # Each core runs a part of its own, 1 KB from the next: eight streams into one shared cache.
    part = (
        times(120, lines("add a0, a0, a1", "xor a2, a2, a0")) + lines("j 9f") + "    .balign 1024\n"
    )
    where = lines("la a4, 1f", "slli a5, s10, 10", "add a4, a4, a5", "li a5, 0", "jr a4")
    own_code = where + "    .balign 1024\n1:\n" + times(ALL, part) + "9:" + lines("li a4, 0")
    found.append(Program("code/each-core-its-own", own_code, cores=ALL))
    return found


def barrier_programs() -> list[Program]:
    """Cores that meet early and late, in teams, at a mutex."""
    found = []
    delays = {"equal": "li t1, 4", "rising": "addi t1, s10, 1", "falling": "sub t1, t1, s10"}
    for name, delay in delays.items():
        text = lines("li t1, 9", delay) + "1:" + lines("addi t1, t1, -1", "bnez t1, 1b", "barrier")
        for cores in (3, ALL):
            found.append(Program(f"barrier/{name}-{cores}-cores", times(3, text), cores=cores))
    found.append(Program("barrier/alone", times(4, lines("barrier")), exact=True))
    found.append(Program("barrier/back-to-back", times(8, lines("barrier")), cores=ALL))
    last = lines("li t1, 40", "li t2, 3", "bne s10, t2, 2f")
    last += "1:" + lines("addi t1, t1, -1", "bnez t1, 1b") + "2:" + lines("barrier", "li t1, 0")
    found.append(Program("barrier/one-late", times(3, last), cores=ALL))
    work = times(10, lines("lw a0, 0(s2)", "add a1, a1, a0", "sw a1, 0(s2)"))
    # p.elw of a mutex takes it, a store gives it back; event 0 wakes whoever sleeps in p.elw.
    held = lines(".insn i 0x03, 6, t0, 0xc0(s0)", "lw a0, 0(a4)", "addi a0, a0, 1", "sw a0, 0(a4)")
    held += lines("sw x0, 0xc0(s0)")
    shared = lines("li a4, 0x10008000")
    for cores in (2, ALL):
        end = lines("li a0, 0", "li a4, 0")
        body = times(3, held) + end
        found.append(Program(f"barrier/mutex-{cores}-cores", body, shared, cores=cores))
    wake = lines("li t1, 12", "beqz s10, 1f", ".insn i 0x03, 6, t0, 0x3c(s0)", "j 2f")
    wake += "1:" + lines("addi t1, t1, -1", "bnez t1, 1b", "li t2, 0xfe", "sw t2, 0x100(s0)") + "2:"
    body = times(3, wake + lines("barrier", "li t1, 0", "li t2, 0"))
    listen = lines("li t1, 1", "sw t1, 8(s0)")
    found.append(Program("barrier/software-event", body, listen, cores=ALL))
    found.append(Program("barrier/work-between", times(4, work + lines("barrier")), cores=ALL))
    return found
