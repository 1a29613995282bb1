/* SPDX-License-Identifier: Apache-2.0 */
/* XpulpV2 (RI5CY / GAP9, not CORE-V v1) instructions as assembler macros, for .S files.
 *
 * A macro has the mnemonic's name with '.' replaced by '_', and its operands in the same order:
 * `pv_sdotsp_b a0, a1, a2`. Loads and stores are p_lw_post rd, rs1, step-register (rs1 advances
 * afterwards), p_lw_step rd, rs1, immediate, p_lw_at rd, base, index; the same for stores with the
 * stored register first. Nothing but `.insn` and `.word` is used: any RV32IM assembler takes it. */
#ifndef XPULPV2_ASM_H
#define XPULPV2_ASM_H
/* clang-format off */

/* Builders: they define macros. The 12 bits that hold funct7 and the rs2 field, or an immediate, are
 * written as the signed number that `.insn i` wants. */
    .macro xp_r3 name, opcode, f3, f7
    .macro \name rd, rs1, rs2
    .insn r \opcode, \f3, \f7, \rd, \rs1, \rs2
    .endm
    .endm

    .macro xp_r2 name, opcode, f3, f7
    .macro \name rd, rs1
    .insn r \opcode, \f3, \f7, \rd, \rs1, x0
    .endm
    .endm

/* rd, rs1, five-bit number */
    .macro xp_number name, opcode, f3, f7
    .macro \name rd, rs1, number
    .insn i \opcode, \f3, \rd, \rs1, (((\f7 << 5 | (\number & 31)) ^ 0x800) - 0x800)
    .endm
    .endm

/* rd, rs1, width, lowest bit */
    .macro xp_field name, f3
    .macro \name rd, rs1, width, low
    .insn i 0x33, \f3, \rd, \rs1, ((((0x5f + \width) << 5 | \low) ^ 0x800) - 0x800)
    .endm
    .endm

/* rd, rs1, rs2, shift */
    .macro xp_shift name, f3, f7
    .macro \name rd, rs1, rs2, shift
    .insn r 0x5b, \f3, (\f7 + \shift), \rd, \rs1, \rs2
    .endm
    .endm

/* rd, rs1, six-bit immediate: bits 5..1 in the rs2 field, bit 0 in bit 25 */
    .macro xp_immediate name, f3, f7
    .macro \name rd, rs1, imm
    .insn i 0x57, \f3, \rd, \rs1, ((((\f7 | (\imm & 1)) << 5 | ((\imm >> 1) & 31)) ^ 0x800) - 0x800)
    .endm
    .endm

    .macro xp_simd name, f7
    xp_r3 \name\()_h, 0x57, 0, \f7
    xp_r3 \name\()_b, 0x57, 1, \f7
    xp_r3 \name\()_sc_h, 0x57, 4, \f7
    xp_r3 \name\()_sc_b, 0x57, 5, \f7
    xp_immediate \name\()_sci_h, 6, \f7
    xp_immediate \name\()_sci_b, 7, \f7
    .endm

    .macro xp_load name, f3, f7
    .macro \name\()_step rd, rs1, step
    .insn i 0x0b, \f3, \rd, \step(\rs1)
    .endm
    xp_r3 \name\()_post, 0x0b, 7, \f7
    xp_r3 \name\()_at, 0x03, 7, \f7
    .endm

    .macro xp_store name, f3
    .macro \name\()_step rs2, rs1, step
    .insn s 0x2b, \f3, \rs2, \step(\rs1)
    .endm
    .macro \name\()_post rs2, rs1, step
    .insn r 0x2b, (\f3 + 4), 0, \step, \rs1, \rs2
    .endm
    .macro \name\()_at rs2, base, index
    .insn r 0x23, (\f3 + 4), 0, \index, \base, \rs2
    .endm
    .endm

/* ---- Hardware loops. `loop` is 0 (inner) or 1 (outer), `n` the number of four-byte instructions of
 * the body, which follows lp_setup at once; the end register holds the address of the LAST
 * instruction. A count of 0 runs the body once. Rules that hold on every core of the family: no
 * compressed instructions (.option norvc), no branch or jump in the body, at least 3 instructions
 * (GAP9: 2), an outer loop ends at least 2 instructions after the inner one. For lp_starti and
 * lp_endi, n counts four-byte instructions from the macro's own to the first or last of the body. */
    .macro lp_starti loop, n
    .insn i 0x7b, 0, x\loop, x0, (2 * (\n))
    .endm
    .macro lp_endi loop, n
    .insn i 0x7b, 1, x\loop, x0, (2 * (\n))
    .endm
    .macro lp_count loop, rs1
    .insn i 0x7b, 2, x\loop, \rs1, 0
    .endm
    .macro lp_counti loop, count
    .insn i 0x7b, 3, x\loop, x0, ((\count ^ 0x800) - 0x800)
    .endm
    .macro lp_setup loop, rs1, n
    .insn i 0x7b, 4, x\loop, \rs1, (2 * (\n))
    .endm
    .macro lp_setupi loop, count, n
    .word 0x7b | (\loop << 7) | (5 << 12) | ((2 * (\n)) << 15) | (\count << 20)
    .endm

/* ---- Branches on a small number: 0..15, or 32 + v for a negative v from -16 on. */
    .macro p_beqimm rs1, number, target
    .insn sb 0x63, 2, \rs1, x\number, \target
    .endm
    .macro p_bneimm rs1, number, target
    .insn sb 0x63, 3, \rs1, x\number, \target
    .endm

/* ---- Loads, stores, event load */
    xp_load p_lb, 0, 0x00
    xp_load p_lh, 1, 0x08
    xp_load p_lw, 2, 0x10
    xp_load p_lbu, 4, 0x20
    xp_load p_lhu, 5, 0x28
    xp_store p_sb, 0
    xp_store p_sh, 1
    xp_store p_sw, 2
    .macro p_elw rd, rs1, offset
    .insn i 0x03, 6, \rd, \offset(\rs1)
    .endm

/* ---- Scalar arithmetic */
    xp_r2 p_abs, 0x33, 0, 0x02
    xp_r3 p_avgu, 0x33, 1, 0x02
    xp_r3 p_slet, 0x33, 2, 0x02
    xp_r3 p_sletu, 0x33, 3, 0x02
    xp_r3 p_min, 0x33, 4, 0x02
    xp_r3 p_minu, 0x33, 5, 0x02
    xp_r3 p_max, 0x33, 6, 0x02
    xp_r3 p_maxu, 0x33, 7, 0x02
    xp_r3 p_ror, 0x33, 5, 0x04
    xp_r2 p_ff1, 0x33, 0, 0x08
    xp_r2 p_fl1, 0x33, 1, 0x08
    xp_r2 p_clb, 0x33, 2, 0x08
    xp_r2 p_cnt, 0x33, 3, 0x08
    xp_r2 p_exths, 0x33, 4, 0x08
    xp_r2 p_exthz, 0x33, 5, 0x08
    xp_r2 p_extbs, 0x33, 6, 0x08
    xp_r2 p_extbz, 0x33, 7, 0x08
    xp_r3 p_clipr, 0x33, 5, 0x0a
    xp_r3 p_clipur, 0x33, 6, 0x0a
    xp_r3 p_mac, 0x33, 0, 0x21
    xp_r3 p_msu, 0x33, 1, 0x21
    xp_number p_clip, 0x33, 1, 0x0a
    xp_number p_clipu, 0x33, 2, 0x0a

/* ---- Bit fields */
    xp_field p_extract, 0
    xp_field p_extractu, 1
    xp_field p_insert, 2
    xp_field p_bclr, 3
    xp_field p_bset, 4
    xp_r3 p_extractr, 0x33, 0, 0x40
    xp_r3 p_extractur, 0x33, 1, 0x40
    xp_r3 p_insertr, 0x33, 2, 0x40
    xp_r3 p_bclrr, 0x33, 3, 0x40
    xp_r3 p_bsetr, 0x33, 4, 0x40

/* ---- 16 x 16 bit products */
    xp_r3 p_muls, 0x5b, 0, 0x40
    xp_r3 p_mulhhs, 0x5b, 0, 0x60
    xp_r3 p_mulu, 0x5b, 0, 0x00
    xp_r3 p_mulhhu, 0x5b, 0, 0x20
    xp_r3 p_macs, 0x5b, 1, 0x40
    xp_r3 p_machhs, 0x5b, 1, 0x60
    xp_r3 p_macu, 0x5b, 1, 0x00
    xp_r3 p_machhu, 0x5b, 1, 0x20
    xp_shift p_mulsN, 0, 0x40
    xp_shift p_mulsRN, 4, 0x40
    xp_shift p_mulhhsN, 0, 0x60
    xp_shift p_mulhhsRN, 4, 0x60
    xp_shift p_muluN, 0, 0x00
    xp_shift p_muluRN, 4, 0x00
    xp_shift p_mulhhuN, 0, 0x20
    xp_shift p_mulhhuRN, 4, 0x20
    xp_shift p_macsN, 1, 0x40
    xp_shift p_macsRN, 5, 0x40
    xp_shift p_machhsN, 1, 0x60
    xp_shift p_machhsRN, 5, 0x60
    xp_shift p_macuN, 1, 0x00
    xp_shift p_macuRN, 5, 0x00
    xp_shift p_machhuN, 1, 0x20
    xp_shift p_machhuRN, 5, 0x20

/* ---- Add and subtract with normalisation */
    xp_shift p_addN, 2, 0x00
    xp_shift p_adduN, 2, 0x40
    xp_shift p_addRN, 6, 0x00
    xp_shift p_adduRN, 6, 0x40
    xp_shift p_subN, 3, 0x00
    xp_shift p_subuN, 3, 0x40
    xp_shift p_subRN, 7, 0x00
    xp_shift p_subuRN, 7, 0x40
    xp_r3 p_addNr, 0x5b, 2, 0x20
    xp_r3 p_adduNr, 0x5b, 2, 0x60
    xp_r3 p_addRNr, 0x5b, 6, 0x20
    xp_r3 p_adduRNr, 0x5b, 6, 0x60
    xp_r3 p_subNr, 0x5b, 3, 0x20
    xp_r3 p_subuNr, 0x5b, 3, 0x60
    xp_r3 p_subRNr, 0x5b, 7, 0x20
    xp_r3 p_subuRNr, 0x5b, 7, 0x60

/* ---- SIMD */
    xp_simd pv_add, 0x00
    xp_simd pv_sub, 0x04
    xp_simd pv_avg, 0x08
    xp_simd pv_avgu, 0x0c
    xp_simd pv_min, 0x10
    xp_simd pv_minu, 0x14
    xp_simd pv_max, 0x18
    xp_simd pv_maxu, 0x1c
    xp_simd pv_srl, 0x20
    xp_simd pv_sra, 0x24
    xp_simd pv_sll, 0x28
    xp_simd pv_or, 0x2c
    xp_simd pv_xor, 0x30
    xp_simd pv_and, 0x34
    xp_simd pv_cmpeq, 0x02
    xp_simd pv_cmpne, 0x06
    xp_simd pv_cmpgt, 0x0a
    xp_simd pv_cmpge, 0x0e
    xp_simd pv_cmplt, 0x12
    xp_simd pv_cmple, 0x16
    xp_simd pv_cmpgtu, 0x1a
    xp_simd pv_cmpgeu, 0x1e
    xp_simd pv_cmpltu, 0x22
    xp_simd pv_cmpleu, 0x26
    xp_simd pv_dotup, 0x40
    xp_simd pv_dotusp, 0x44
    xp_simd pv_dotsp, 0x4c
    xp_simd pv_sdotup, 0x50
    xp_simd pv_sdotusp, 0x54
    xp_simd pv_sdotsp, 0x5c

/* ---- SIMD, one operand, element moves, shuffles */
    xp_r2 pv_abs_h, 0x57, 0, 0x38
    xp_r2 pv_abs_b, 0x57, 1, 0x38
    xp_immediate pv_extract_h, 6, 0x3c
    xp_immediate pv_extract_b, 7, 0x3c
    xp_immediate pv_extractu_h, 6, 0x48
    xp_immediate pv_extractu_b, 7, 0x48
    xp_immediate pv_insert_h, 6, 0x58
    xp_immediate pv_insert_b, 7, 0x58
    xp_r3 pv_shuffle_h, 0x57, 0, 0x60
    xp_r3 pv_shuffle_b, 0x57, 1, 0x60
    xp_r3 pv_shuffle2_h, 0x57, 0, 0x64
    xp_r3 pv_shuffle2_b, 0x57, 1, 0x64
    xp_immediate pv_shuffle_sci_h, 6, 0x60
    xp_immediate pv_shuffleI0_sci_b, 7, 0x60
    xp_immediate pv_shuffleI1_sci_b, 7, 0x74
    xp_immediate pv_shuffleI2_sci_b, 7, 0x78
    xp_immediate pv_shuffleI3_sci_b, 7, 0x7c
    xp_r3 pv_pack_h, 0x57, 0, 0x68
    xp_r3 pv_packhi_b, 0x57, 1, 0x6c
    xp_r3 pv_packlo_b, 0x57, 1, 0x70

#endif
