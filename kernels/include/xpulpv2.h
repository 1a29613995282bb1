/* SPDX-License-Identifier: Apache-2.0 */
/* XpulpV2 (RI5CY / GAP9, not CORE-V v1) instructions as C functions.
 *
 * Every function is one instruction, written with `.insn r/i/s`, so any RISC-V assembler that knows
 * RV32IM takes it: no -march extension and no vendor compiler is needed. Functions have the
 * mnemonic's name with '.' replaced by '_'. Instructions whose result also depends on the old rD
 * take it as their first argument. Immediates are macro arguments and must be constants.
 *
 * Vectors are uint32_t: two lanes of 16 bits (_h) or four of 8 bits (_b), lane 0 least significant.
 * _sc replicates the low lane of the second operand, _sci a 6-bit immediate.
 *
 * Nothing here is volatile except memory accesses, so the compiler may move, merge and drop the
 * arithmetic. Hardware loops need their body in the same asm statement; see xpulpv2_asm.h for the
 * rules and for the same instructions in assembly files. */
#ifndef XPULPV2_H
#define XPULPV2_H

#include <stdint.h>

/* Builders: one asm statement each. T is the type of operands and result. */
#define XP_D1(name, T, op, f3, f7, rs2)                                                            \
    static inline T name(T a) {                                                                    \
        T d;                                                                                       \
        __asm__(".insn r " op ", " f3 ", " f7 ", %0, %1, " rs2 : "=r"(d) : "r"(a));                \
        return d;                                                                                  \
    }
#define XP_D2(name, T, op, f3, f7)                                                                 \
    static inline T name(T a, T b) {                                                               \
        T d;                                                                                       \
        __asm__(".insn r " op ", " f3 ", " f7 ", %0, %1, %2" : "=r"(d) : "r"(a), "r"(b));          \
        return d;                                                                                  \
    }
/* As XP_D2 with the old rD in `d`. */
#define XP_A2(name, T, op, f3, f7)                                                                 \
    static inline T name(T d, T a, T b) {                                                          \
        __asm__(".insn r " op ", " f3 ", " f7 ", %0, %1, %2" : "+r"(d) : "r"(a), "r"(b));          \
        return d;                                                                                  \
    }
/* funct7 and the rs2 field from constants; `d2` operand forms read a second register. */
#define XP_I(T, op, f3, f7, field, a)                                                              \
    __extension__({                                                                                \
        T xp_d;                                                                                    \
        __asm__(".insn r " op ", " f3 ", %2, %0, %1, x%3"                                          \
                : "=r"(xp_d)                                                                       \
                : "r"((T)(a)), "i"((f7)), "i"((field)));                                           \
        xp_d;                                                                                      \
    })
#define XP_IA(T, op, f3, f7, field, d, a)                                                          \
    __extension__({                                                                                \
        T xp_d = (d);                                                                              \
        __asm__(".insn r " op ", " f3 ", %2, %0, %1, x%3"                                          \
                : "+r"(xp_d)                                                                       \
                : "r"((T)(a)), "i"((f7)), "i"((field)));                                           \
        xp_d;                                                                                      \
    })
#define XP_I2(T, op, f3, f7, a, b)                                                                 \
    __extension__({                                                                                \
        T xp_d;                                                                                    \
        __asm__(".insn r " op ", " f3 ", %3, %0, %1, %2"                                           \
                : "=r"(xp_d)                                                                       \
                : "r"((T)(a)), "r"((T)(b)), "i"((f7)));                                            \
        xp_d;                                                                                      \
    })
#define XP_IA2(T, op, f3, f7, d, a, b)                                                             \
    __extension__({                                                                                \
        T xp_d = (d);                                                                              \
        __asm__(".insn r " op ", " f3 ", %3, %0, %1, %2"                                           \
                : "+r"(xp_d)                                                                       \
                : "r"((T)(a)), "r"((T)(b)), "i"((f7)));                                            \
        xp_d;                                                                                      \
    })

/* ---- Loads and stores -------------------------------------------------------------------------
 * The access uses the old address; `*pointer` then advances by `step` bytes. Any alignment works
 * (two bus cycles when a word or half-word crosses a word). Indexed forms access base + index. */
#define XP_LOAD(name, T, f7)                                                                       \
    static inline T name##_post(const void **pointer, int32_t step) {                              \
        T d;                                                                                       \
        __asm__ volatile(".insn r 0x0b, 7, " f7 ", %0, %1, %2"                                     \
                         : "=&r"(d), "+r"(*pointer)                                                \
                         : "r"(step)                                                               \
                         : "memory");                                                              \
        return d;                                                                                  \
    }                                                                                              \
    static inline T name##_at(const void *base, uint32_t index) {                                  \
        T d;                                                                                       \
        __asm__ volatile(".insn r 0x03, 7, " f7 ", %0, %1, %2"                                     \
                         : "=r"(d)                                                                 \
                         : "r"(base), "r"(index)                                                   \
                         : "memory");                                                              \
        return d;                                                                                  \
    }
XP_LOAD(p_lb, int32_t, "0x00")
XP_LOAD(p_lh, int32_t, "0x08")
XP_LOAD(p_lw, uint32_t, "0x10")
XP_LOAD(p_lbu, uint32_t, "0x20")
XP_LOAD(p_lhu, uint32_t, "0x28")

#define XP_STORE(name, f3)                                                                         \
    static inline void name##_post(void **pointer, int32_t step, uint32_t value) {                 \
        __asm__ volatile(".insn r 0x2b, " f3 ", 0, %1, %0, %2"                                     \
                         : "+r"(*pointer)                                                          \
                         : "r"(step), "r"(value)                                                   \
                         : "memory");                                                              \
    }                                                                                              \
    static inline void name##_at(void *base, uint32_t index, uint32_t value) {                     \
        __asm__ volatile(".insn r 0x23, " f3 ", 0, %1, %0, %2"                                     \
                         :                                                                         \
                         : "r"(base), "r"(index), "r"(value)                                       \
                         : "memory");                                                              \
    }
XP_STORE(p_sb, "4")
XP_STORE(p_sh, "5")
XP_STORE(p_sw, "6")

/* Immediate steps: `pointer` is an lvalue of any object pointer type, step -2048..2047. */
#define XP_LOAD_STEP(T, f3, pointer, step)                                                         \
    __extension__({                                                                                \
        T xp_d;                                                                                    \
        __asm__ volatile(".insn i 0x0b, " f3 ", %0, %2(%1)"                                        \
                         : "=&r"(xp_d), "+r"(pointer)                                              \
                         : "i"(step)                                                               \
                         : "memory");                                                              \
        xp_d;                                                                                      \
    })
#define p_lb_step(pointer, step) XP_LOAD_STEP(int32_t, "0", pointer, step)
#define p_lh_step(pointer, step) XP_LOAD_STEP(int32_t, "1", pointer, step)
#define p_lw_step(pointer, step) XP_LOAD_STEP(uint32_t, "2", pointer, step)
#define p_lbu_step(pointer, step) XP_LOAD_STEP(uint32_t, "4", pointer, step)
#define p_lhu_step(pointer, step) XP_LOAD_STEP(uint32_t, "5", pointer, step)

#define XP_STORE_STEP(f3, pointer, step, value)                                                    \
    __asm__ volatile(".insn s 0x2b, " f3 ", %1, %2(%0)"                                            \
                     : "+r"(pointer)                                                               \
                     : "r"((uint32_t)(value)), "i"(step)                                           \
                     : "memory")
#define p_sb_step(pointer, step, value) XP_STORE_STEP("0", pointer, step, value)
#define p_sh_step(pointer, step, value) XP_STORE_STEP("1", pointer, step, value)
#define p_sw_step(pointer, step, value) XP_STORE_STEP("2", pointer, step, value)

/* Event load: a word load during which the core sleeps until the event unit answers. */
static inline uint32_t p_elw(const volatile void *address) {
    uint32_t d;
    __asm__ volatile(".insn i 0x03, 6, %0, 0(%1)" : "=r"(d) : "r"(address) : "memory");
    return d;
}

/* ---- Scalar arithmetic ----------------------------------------------------------------------- */
XP_D1(p_abs, int32_t, "0x33", "0", "0x02", "x0")
XP_D2(p_avgu, uint32_t, "0x33", "1", "0x02") /* (a + b) >> 1, the sum wraps */
XP_D2(p_slet, int32_t, "0x33", "2", "0x02")  /* a <= b, signed */
XP_D2(p_sletu, uint32_t, "0x33", "3", "0x02")
XP_D2(p_min, int32_t, "0x33", "4", "0x02")
XP_D2(p_minu, uint32_t, "0x33", "5", "0x02")
XP_D2(p_max, int32_t, "0x33", "6", "0x02")
XP_D2(p_maxu, uint32_t, "0x33", "7", "0x02")
XP_D2(p_ror, uint32_t, "0x33", "5", "0x04")
XP_D1(p_ff1, uint32_t, "0x33", "0", "0x08", "x0") /* lowest set bit, 32 for 0 */
XP_D1(p_fl1, uint32_t, "0x33", "1", "0x08", "x0") /* highest set bit, 32 for 0 */
XP_D1(p_clb, uint32_t, "0x33", "2", "0x08", "x0") /* redundant sign bits, 0 for 0 */
XP_D1(p_cnt, uint32_t, "0x33", "3", "0x08", "x0") /* set bits */
XP_D1(p_exths, int32_t, "0x33", "4", "0x08", "x0")
XP_D1(p_exthz, uint32_t, "0x33", "5", "0x08", "x0")
XP_D1(p_extbs, int32_t, "0x33", "6", "0x08", "x0")
XP_D1(p_extbz, uint32_t, "0x33", "7", "0x08", "x0")
XP_D2(p_clipr, int32_t, "0x33", "5", "0x0a")  /* to -(b + 1) .. b */
XP_D2(p_clipur, int32_t, "0x33", "6", "0x0a") /* to 0 .. b */
XP_A2(p_mac, int32_t, "0x33", "0", "0x21")    /* d + a * b */
XP_A2(p_msu, int32_t, "0x33", "1", "0x21")    /* d - a * b */

#define p_clip(a, bits) XP_I(int32_t, "0x33", "1", 0x0a, bits, a)  /* signed: 8 for int8 */
#define p_clipu(a, bits) XP_I(int32_t, "0x33", "2", 0x0a, bits, a) /* 0..: 9 for uint8 */

/* ---- Bit fields: `width` bits from bit `low` on. The r forms take (width - 1) << 5 | low. ------
 */
#define p_extract(a, width, low) XP_I(int32_t, "0x33", "0", 0x5f + (width), low, a)
#define p_extractu(a, width, low) XP_I(uint32_t, "0x33", "1", 0x5f + (width), low, a)
#define p_insert(d, a, width, low) XP_IA(uint32_t, "0x33", "2", 0x5f + (width), low, d, a)
#define p_bclr(a, width, low) XP_I(uint32_t, "0x33", "3", 0x5f + (width), low, a)
#define p_bset(a, width, low) XP_I(uint32_t, "0x33", "4", 0x5f + (width), low, a)
XP_D2(p_extractr, int32_t, "0x33", "0", "0x40")
XP_D2(p_extractur, uint32_t, "0x33", "1", "0x40")
XP_A2(p_insertr, uint32_t, "0x33", "2", "0x40")
XP_D2(p_bclrr, uint32_t, "0x33", "3", "0x40")
XP_D2(p_bsetr, uint32_t, "0x33", "4", "0x40")

/* ---- 16 x 16 bit products ---------------------------------------------------------------------
 * s signed, u unsigned, hh of the high halves (otherwise low). mul: product; mac: d + product.
 * N: shifted right by n (arithmetic when signed); RN: 2^(n-1) added first (nothing for n = 0). */
XP_D2(p_muls, int32_t, "0x5b", "0", "0x40")
XP_D2(p_mulhhs, int32_t, "0x5b", "0", "0x60")
XP_D2(p_mulu, uint32_t, "0x5b", "0", "0x00")
XP_D2(p_mulhhu, uint32_t, "0x5b", "0", "0x20")
XP_A2(p_macs, int32_t, "0x5b", "1", "0x40")
XP_A2(p_machhs, int32_t, "0x5b", "1", "0x60")
XP_A2(p_macu, uint32_t, "0x5b", "1", "0x00")
XP_A2(p_machhu, uint32_t, "0x5b", "1", "0x20")
#define p_mulsN(a, b, n) XP_I2(int32_t, "0x5b", "0", 0x40 + (n), a, b)
#define p_mulsRN(a, b, n) XP_I2(int32_t, "0x5b", "4", 0x40 + (n), a, b)
#define p_mulhhsN(a, b, n) XP_I2(int32_t, "0x5b", "0", 0x60 + (n), a, b)
#define p_mulhhsRN(a, b, n) XP_I2(int32_t, "0x5b", "4", 0x60 + (n), a, b)
#define p_muluN(a, b, n) XP_I2(uint32_t, "0x5b", "0", 0x00 + (n), a, b)
#define p_muluRN(a, b, n) XP_I2(uint32_t, "0x5b", "4", 0x00 + (n), a, b)
#define p_mulhhuN(a, b, n) XP_I2(uint32_t, "0x5b", "0", 0x20 + (n), a, b)
#define p_mulhhuRN(a, b, n) XP_I2(uint32_t, "0x5b", "4", 0x20 + (n), a, b)
#define p_macsN(d, a, b, n) XP_IA2(int32_t, "0x5b", "1", 0x40 + (n), d, a, b)
#define p_macsRN(d, a, b, n) XP_IA2(int32_t, "0x5b", "5", 0x40 + (n), d, a, b)
#define p_machhsN(d, a, b, n) XP_IA2(int32_t, "0x5b", "1", 0x60 + (n), d, a, b)
#define p_machhsRN(d, a, b, n) XP_IA2(int32_t, "0x5b", "5", 0x60 + (n), d, a, b)
#define p_macuN(d, a, b, n) XP_IA2(uint32_t, "0x5b", "1", 0x00 + (n), d, a, b)
#define p_macuRN(d, a, b, n) XP_IA2(uint32_t, "0x5b", "5", 0x00 + (n), d, a, b)
#define p_machhuN(d, a, b, n) XP_IA2(uint32_t, "0x5b", "1", 0x20 + (n), d, a, b)
#define p_machhuRN(d, a, b, n) XP_IA2(uint32_t, "0x5b", "5", 0x20 + (n), d, a, b)

/* ---- Add and subtract with normalisation ------------------------------------------------------
 * (a +- b) >> n, the sum wraps at 32 bits; u: logical shift; R: 2^(n-1) added before the shift
 * (nothing for n = 0). The forms ending in r compute (d +- a) >> (b & 31). */
#define p_addN(a, b, n) XP_I2(int32_t, "0x5b", "2", 0x00 + (n), a, b)
#define p_adduN(a, b, n) XP_I2(uint32_t, "0x5b", "2", 0x40 + (n), a, b)
#define p_addRN(a, b, n) XP_I2(int32_t, "0x5b", "6", 0x00 + (n), a, b)
#define p_adduRN(a, b, n) XP_I2(uint32_t, "0x5b", "6", 0x40 + (n), a, b)
#define p_subN(a, b, n) XP_I2(int32_t, "0x5b", "3", 0x00 + (n), a, b)
#define p_subuN(a, b, n) XP_I2(uint32_t, "0x5b", "3", 0x40 + (n), a, b)
#define p_subRN(a, b, n) XP_I2(int32_t, "0x5b", "7", 0x00 + (n), a, b)
#define p_subuRN(a, b, n) XP_I2(uint32_t, "0x5b", "7", 0x40 + (n), a, b)
XP_A2(p_addNr, int32_t, "0x5b", "2", "0x20")
XP_A2(p_adduNr, uint32_t, "0x5b", "2", "0x60")
XP_A2(p_addRNr, int32_t, "0x5b", "6", "0x20")
XP_A2(p_adduRNr, uint32_t, "0x5b", "6", "0x60")
XP_A2(p_subNr, int32_t, "0x5b", "3", "0x20")
XP_A2(p_subuNr, uint32_t, "0x5b", "3", "0x60")
XP_A2(p_subRNr, int32_t, "0x5b", "7", "0x20")
XP_A2(p_subuRNr, uint32_t, "0x5b", "7", "0x60")

/* ---- SIMD, two operands -----------------------------------------------------------------------
 * For each mnemonic: name_h, name_b, name_sc_h, name_sc_b as functions and, below, name_sci_h and
 * name_sci_b as macros with an immediate (-32..31, or 0..63 for the unsigned ones). */
#define XP_SIMD(name, f7)                                                                          \
    XP_D2(name##_h, uint32_t, "0x57", "0", f7)                                                     \
    XP_D2(name##_b, uint32_t, "0x57", "1", f7)                                                     \
    XP_D2(name##_sc_h, uint32_t, "0x57", "4", f7)                                                  \
    XP_D2(name##_sc_b, uint32_t, "0x57", "5", f7)
XP_SIMD(pv_add, "0x00") /* lanes wrap */
XP_SIMD(pv_sub, "0x04")
XP_SIMD(pv_avg, "0x08")  /* (a + b) >> 1, the sum wraps at lane width, arithmetic shift */
XP_SIMD(pv_avgu, "0x0c") /* the same with a logical shift */
XP_SIMD(pv_min, "0x10")
XP_SIMD(pv_minu, "0x14")
XP_SIMD(pv_max, "0x18")
XP_SIMD(pv_maxu, "0x1c")
XP_SIMD(pv_srl, "0x20")
XP_SIMD(pv_sra, "0x24")
XP_SIMD(pv_sll, "0x28")
XP_SIMD(pv_or, "0x2c")
XP_SIMD(pv_xor, "0x30")
XP_SIMD(pv_and, "0x34")
XP_SIMD(pv_cmpeq, "0x02") /* comparisons: all ones or 0 per lane; u unsigned */
XP_SIMD(pv_cmpne, "0x06")
XP_SIMD(pv_cmpgt, "0x0a")
XP_SIMD(pv_cmpge, "0x0e")
XP_SIMD(pv_cmplt, "0x12")
XP_SIMD(pv_cmple, "0x16")
XP_SIMD(pv_cmpgtu, "0x1a")
XP_SIMD(pv_cmpgeu, "0x1e")
XP_SIMD(pv_cmpltu, "0x22")
XP_SIMD(pv_cmpleu, "0x26")
XP_SIMD(pv_dotup, "0x40")  /* sum of lane products, both unsigned */
XP_SIMD(pv_dotusp, "0x44") /* a unsigned, b signed */
XP_SIMD(pv_dotsp, "0x4c")  /* both signed */

#define XP_SIMD_DOT(name, T, f7)                                                                   \
    XP_A2(name##_h, T, "0x57", "0", f7)                                                            \
    XP_A2(name##_b, T, "0x57", "1", f7)                                                            \
    XP_A2(name##_sc_h, T, "0x57", "4", f7)                                                         \
    XP_A2(name##_sc_b, T, "0x57", "5", f7)
XP_SIMD_DOT(pv_sdotup, uint32_t, "0x50") /* d + the dot product */
XP_SIMD_DOT(pv_sdotusp, int32_t, "0x54")
XP_SIMD_DOT(pv_sdotsp, int32_t, "0x5c")

/* imm6: bits 5..1 in the rs2 field, bit 0 in bit 25. */
#define XP_SCI(f3, f7, a, imm) XP_I(uint32_t, "0x57", f3, (f7) | ((imm) & 1), ((imm) >> 1) & 31, a)
#define XP_SCI_DOT(T, f3, f7, d, a, imm)                                                           \
    XP_IA(T, "0x57", f3, (f7) | ((imm) & 1), ((imm) >> 1) & 31, d, a)
#define pv_add_sci_h(a, imm) XP_SCI("6", 0x00, a, imm)
#define pv_add_sci_b(a, imm) XP_SCI("7", 0x00, a, imm)
#define pv_sub_sci_h(a, imm) XP_SCI("6", 0x04, a, imm)
#define pv_sub_sci_b(a, imm) XP_SCI("7", 0x04, a, imm)
#define pv_avg_sci_h(a, imm) XP_SCI("6", 0x08, a, imm)
#define pv_avg_sci_b(a, imm) XP_SCI("7", 0x08, a, imm)
#define pv_avgu_sci_h(a, imm) XP_SCI("6", 0x0c, a, imm)
#define pv_avgu_sci_b(a, imm) XP_SCI("7", 0x0c, a, imm)
#define pv_min_sci_h(a, imm) XP_SCI("6", 0x10, a, imm)
#define pv_min_sci_b(a, imm) XP_SCI("7", 0x10, a, imm)
#define pv_minu_sci_h(a, imm) XP_SCI("6", 0x14, a, imm)
#define pv_minu_sci_b(a, imm) XP_SCI("7", 0x14, a, imm)
#define pv_max_sci_h(a, imm) XP_SCI("6", 0x18, a, imm)
#define pv_max_sci_b(a, imm) XP_SCI("7", 0x18, a, imm)
#define pv_maxu_sci_h(a, imm) XP_SCI("6", 0x1c, a, imm)
#define pv_maxu_sci_b(a, imm) XP_SCI("7", 0x1c, a, imm)
#define pv_srl_sci_h(a, imm) XP_SCI("6", 0x20, a, imm)
#define pv_srl_sci_b(a, imm) XP_SCI("7", 0x20, a, imm)
#define pv_sra_sci_h(a, imm) XP_SCI("6", 0x24, a, imm)
#define pv_sra_sci_b(a, imm) XP_SCI("7", 0x24, a, imm)
#define pv_sll_sci_h(a, imm) XP_SCI("6", 0x28, a, imm)
#define pv_sll_sci_b(a, imm) XP_SCI("7", 0x28, a, imm)
#define pv_or_sci_h(a, imm) XP_SCI("6", 0x2c, a, imm)
#define pv_or_sci_b(a, imm) XP_SCI("7", 0x2c, a, imm)
#define pv_xor_sci_h(a, imm) XP_SCI("6", 0x30, a, imm)
#define pv_xor_sci_b(a, imm) XP_SCI("7", 0x30, a, imm)
#define pv_and_sci_h(a, imm) XP_SCI("6", 0x34, a, imm)
#define pv_and_sci_b(a, imm) XP_SCI("7", 0x34, a, imm)
#define pv_cmpeq_sci_h(a, imm) XP_SCI("6", 0x02, a, imm)
#define pv_cmpeq_sci_b(a, imm) XP_SCI("7", 0x02, a, imm)
#define pv_cmpne_sci_h(a, imm) XP_SCI("6", 0x06, a, imm)
#define pv_cmpne_sci_b(a, imm) XP_SCI("7", 0x06, a, imm)
#define pv_cmpgt_sci_h(a, imm) XP_SCI("6", 0x0a, a, imm)
#define pv_cmpgt_sci_b(a, imm) XP_SCI("7", 0x0a, a, imm)
#define pv_cmpge_sci_h(a, imm) XP_SCI("6", 0x0e, a, imm)
#define pv_cmpge_sci_b(a, imm) XP_SCI("7", 0x0e, a, imm)
#define pv_cmplt_sci_h(a, imm) XP_SCI("6", 0x12, a, imm)
#define pv_cmplt_sci_b(a, imm) XP_SCI("7", 0x12, a, imm)
#define pv_cmple_sci_h(a, imm) XP_SCI("6", 0x16, a, imm)
#define pv_cmple_sci_b(a, imm) XP_SCI("7", 0x16, a, imm)
#define pv_cmpgtu_sci_h(a, imm) XP_SCI("6", 0x1a, a, imm)
#define pv_cmpgtu_sci_b(a, imm) XP_SCI("7", 0x1a, a, imm)
#define pv_cmpgeu_sci_h(a, imm) XP_SCI("6", 0x1e, a, imm)
#define pv_cmpgeu_sci_b(a, imm) XP_SCI("7", 0x1e, a, imm)
#define pv_cmpltu_sci_h(a, imm) XP_SCI("6", 0x22, a, imm)
#define pv_cmpltu_sci_b(a, imm) XP_SCI("7", 0x22, a, imm)
#define pv_cmpleu_sci_h(a, imm) XP_SCI("6", 0x26, a, imm)
#define pv_cmpleu_sci_b(a, imm) XP_SCI("7", 0x26, a, imm)
#define pv_dotup_sci_h(a, imm) XP_SCI("6", 0x40, a, imm)
#define pv_dotup_sci_b(a, imm) XP_SCI("7", 0x40, a, imm)
#define pv_dotusp_sci_h(a, imm) XP_SCI("6", 0x44, a, imm)
#define pv_dotusp_sci_b(a, imm) XP_SCI("7", 0x44, a, imm)
#define pv_dotsp_sci_h(a, imm) XP_SCI("6", 0x4c, a, imm)
#define pv_dotsp_sci_b(a, imm) XP_SCI("7", 0x4c, a, imm)
#define pv_sdotup_sci_h(d, a, imm) XP_SCI_DOT(uint32_t, "6", 0x50, d, a, imm)
#define pv_sdotup_sci_b(d, a, imm) XP_SCI_DOT(uint32_t, "7", 0x50, d, a, imm)
#define pv_sdotusp_sci_h(d, a, imm) XP_SCI_DOT(int32_t, "6", 0x54, d, a, imm)
#define pv_sdotusp_sci_b(d, a, imm) XP_SCI_DOT(int32_t, "7", 0x54, d, a, imm)
#define pv_sdotsp_sci_h(d, a, imm) XP_SCI_DOT(int32_t, "6", 0x5c, d, a, imm)
#define pv_sdotsp_sci_b(d, a, imm) XP_SCI_DOT(int32_t, "7", 0x5c, d, a, imm)

/* ---- SIMD, one operand, element moves, shuffles ------------------------------------------------
 */
XP_D1(pv_abs_h, uint32_t, "0x57", "0", "0x38", "x0") /* the most negative value stays */
XP_D1(pv_abs_b, uint32_t, "0x57", "1", "0x38", "x0")
/* Lane `lane`, sign- or zero-extended; insert writes it and keeps the other lanes of d. */
#define pv_extract_h(a, lane) XP_I(int32_t, "0x57", "6", 0x3c | ((lane) & 1), (lane) >> 1, a)
#define pv_extract_b(a, lane) XP_I(int32_t, "0x57", "7", 0x3c | ((lane) & 1), (lane) >> 1, a)
#define pv_extractu_h(a, lane) XP_I(uint32_t, "0x57", "6", 0x48 | ((lane) & 1), (lane) >> 1, a)
#define pv_extractu_b(a, lane) XP_I(uint32_t, "0x57", "7", 0x48 | ((lane) & 1), (lane) >> 1, a)
#define pv_insert_h(d, a, lane) XP_IA(uint32_t, "0x57", "6", 0x58 | ((lane) & 1), (lane) >> 1, d, a)
#define pv_insert_b(d, a, lane) XP_IA(uint32_t, "0x57", "7", 0x58 | ((lane) & 1), (lane) >> 1, d, a)

XP_D2(pv_shuffle_h, uint32_t, "0x57", "0", "0x60")  /* lane i = a[b[i] & 1] */
XP_D2(pv_shuffle_b, uint32_t, "0x57", "1", "0x60")  /* lane i = a[b[i] & 3] */
XP_A2(pv_shuffle2_h, uint32_t, "0x57", "0", "0x64") /* lane i = (b[i] & 2 ? a : d)[b[i] & 1] */
XP_A2(pv_shuffle2_b, uint32_t, "0x57", "1", "0x64") /* lane i = (b[i] & 4 ? a : d)[b[i] & 3] */
/* Two selector bits per lane in imm (one for _h). _b: lanes 0..2 by imm, lane 3 is byte 0..3 of a
 * according to the name. */
#define pv_shuffle_sci_h(a, imm) XP_SCI("6", 0x60, a, imm)
#define pv_shuffleI0_sci_b(a, imm) XP_SCI("7", 0x60, a, imm)
#define pv_shuffleI1_sci_b(a, imm) XP_SCI("7", 0x74, a, imm)
#define pv_shuffleI2_sci_b(a, imm) XP_SCI("7", 0x78, a, imm)
#define pv_shuffleI3_sci_b(a, imm) XP_SCI("7", 0x7c, a, imm)
XP_D2(pv_pack_h, uint32_t, "0x57", "0", "0x68")   /* a in the high half, b in the low half */
XP_A2(pv_packhi_b, uint32_t, "0x57", "1", "0x6c") /* byte 3 = a, byte 2 = b, the rest of d kept */
XP_A2(pv_packlo_b, uint32_t, "0x57", "1", "0x70") /* byte 1 = a, byte 0 = b, the rest of d kept */

/* Four bytes to one word, b0 least significant: pv.packlo.b and pv.packhi.b together, because the
 * first of them starts from a register whose old value does not matter. */
static inline uint32_t xp_pack_bytes(uint32_t b0, uint32_t b1, uint32_t b2, uint32_t b3) {
    uint32_t d;
    __asm__(".insn r 0x57, 1, 0x70, %0, %2, %1\n\t.insn r 0x57, 1, 0x6c, %0, %4, %3"
            : "=&r"(d)
            : "r"(b0), "r"(b1), "r"(b2), "r"(b3));
    return d;
}

#endif
