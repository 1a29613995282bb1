/* SPDX-License-Identifier: Apache-2.0 */
/* Additions, tables and layer normalisations for XpulpV2, four elements at a time; words may lie
 * anywhere (a misaligned one takes two cycles). Inputs of four are loaded before an output is
 * stored, so the output may take an input's place. */
#ifndef TS_XPULP_POINTWISE_H
#define TS_XPULP_POINTWISE_H

#include "ts_normalise.h"
#include "ts_xpulp_inline.h"
#include "ts_xpulp_scale.h"

/* See add.h; nothing overflows 32 bits. */
typedef struct {
    int32_t a_mul, b_mul, rounding;
    uint32_t shift;
} ts_xp_addition;

static inline ts_xp_addition ts_xp_addition_of(uint32_t a_mul, uint32_t b_mul, uint32_t shift,
                                               uint32_t round_half_up) {
    const int32_t rounding = round_half_up ? (int32_t)(1u << (shift - 1)) : 0;
    return (ts_xp_addition){(int32_t)a_mul, (int32_t)b_mul, rounding, shift};
}

/* This core's share of n elements: whole words, what is left over for the last core. */
static inline ts_range ts_xp_share_words(const ts_team *team, uint32_t n) {
    const ts_range words = ts_team_share(team, n / 4);
    return (ts_range){4 * words.begin, team->core + 1 == team->cores ? n : 4 * words.end};
}

static TS_XP_INLINE uint32_t ts_xp_add_one(const ts_xp_addition *add, int32_t a, int32_t b) {
    const int32_t sum = p_mac(p_mac(add->rounding, a, add->a_mul), b, add->b_mul);
    return (uint32_t)p_clip(sum >> add->shift, 8);
}

/* `words` words, `pitch` bytes apart: those of a tensor, or of a column of blocks. */
static TS_XP_INLINE void ts_xp_add_strided(const ts_xp_addition *add, const void *a,
                                           uint32_t a_pitch, const void *b, uint32_t b_pitch,
                                           void *to, uint32_t pitch, uint32_t words) {
    for (; words; words--) {
        const int32_t x = (int32_t)p_lw_post(&a, (int32_t)a_pitch);
        const int32_t y = (int32_t)p_lw_post(&b, (int32_t)b_pitch);
        const uint32_t p = ts_xp_add_one(add, p_extract(x, 8, 0), p_extract(y, 8, 0));
        const uint32_t q = ts_xp_add_one(add, p_extract(x, 8, 8), p_extract(y, 8, 8));
        const uint32_t r = ts_xp_add_one(add, p_extract(x, 8, 16), p_extract(y, 8, 16));
        const uint32_t s = ts_xp_add_one(add, x >> 24, y >> 24);
        p_sw_post(&to, (int32_t)pitch, xp_pack_bytes(p, q, r, s));
    }
}

TS_XP_STAGE void ts_xp_add_words(const ts_xp_addition *addition, const int8_t *a, const int8_t *b,
                                 int8_t *output, uint32_t pitch, uint32_t words) {
    const ts_xp_addition add = *addition;
    ts_xp_add_strided(&add, a, pitch, b, pitch, output, pitch, words);
}

/* n elements, n % 4 of them one at a time. */
static inline void ts_xp_add(const ts_xp_addition *add, const int8_t *a, const int8_t *b,
                             uint32_t n, int8_t *output) {
    const uint32_t whole = n & ~3u;
    ts_xp_add_words(add, a, b, output, 4, n / 4);
    for (uint32_t i = whole; i < n; i++)
        output[i] = (int8_t)ts_xp_add_one(add, a[i], b[i]);
}

/* output[i] = table[input[i] & 255] for whole words. */
static TS_XP_INLINE void ts_xp_look_up_words(const int8_t *input, const int8_t *table,
                                             uint32_t words, int8_t *output) {
    uint32_t word, a, b, c;
    __asm__ volatile(
        TS_XP_NORVC TS_XP_LOOP("n", "12") ".insn i 0x0b, 2, %[word], 4(%[from])\n\t" /* p.lw! */
                                          ".insn r 0x57, 7, 0x48, %[a], %[word], x0\n\t"
                                          ".insn r 0x57, 7, 0x49, %[b], %[word], x0\n\t"
                                          ".insn r 0x57, 7, 0x48, %[c], %[word], x1\n\t"
                                          "srli %[word], %[word], 24\n\t"
                                          ".insn r 0x03, 7, 0x20, %[a], %[table], %[a]\n\t"
                                          ".insn r 0x03, 7, 0x20, %[b], %[table], %[b]\n\t"
                                          ".insn r 0x03, 7, 0x20, %[c], %[table], %[c]\n\t"
                                          ".insn r 0x03, 7, 0x20, %[word], %[table], %[word]\n\t"
                                          ".insn r 0x57, 1, 0x70, %[a], %[b], %[a]\n\t"
                                          ".insn r 0x57, 1, 0x6c, %[a], %[word], %[c]\n\t"
                                          ".insn s 0x2b, 2, %[a], 4(%[to])\n\t" /* p.sw! */
                                          ".option pop"
        : [word] "=&r"(word), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [from] "+r"(input),
          [to] "+r"(output)
        : [n] "r"(words), [table] "r"(table)
        : "memory");
}

static inline void ts_xp_look_up(const int8_t *input, const int8_t *table, uint32_t n,
                                 int8_t *output) {
    if (n >= 4)
        ts_xp_look_up_words(input, table, n / 4, output);
    for (uint32_t i = n & ~3u; i < n; i++)
        output[i] = table[(uint8_t)input[i]];
}

typedef struct {
    const int16_t *weight;
    const int32_t *bias;
    uint32_t shift;
} ts_xp_norm;

/* A row's mean, and the reciprocal of its deviation (ts_normalise.h). */
typedef struct {
    int32_t mean;
    uint32_t reciprocal;
} ts_xp_moments;

/* sum / n, truncated; most often n is a power of 2, and a division takes 35 cycles. */
static TS_XP_INLINE int32_t ts_xp_quotient(int32_t sum, uint32_t n) {
    if (n & (n - 1))
        return sum / (int32_t)n;
    return (sum + (sum >> 31 & (int32_t)(n - 1))) >> p_ff1(n);
}

/* ts_isqrt(x) for x < 2^14, which a variance plus 1 is: its 7 turns in a hardware loop, because
 * unrolled they are more code than all of the rest. */
static TS_XP_INLINE uint32_t ts_xp_root(uint32_t x) {
    uint32_t root = 0, bit = 1u << 12, tried, mask;
    __asm__ volatile(
        TS_XP_NORVC TS_XP_LOOP("n", "9") "add %[tried], %[root], %[bit]\n\t"
                                         "srli %[root], %[root], 1\n\t"
                                         "sltu %[mask], %[x], %[tried]\n\t"
                                         "addi %[mask], %[mask], -1\n\t"
                                         "and %[tried], %[tried], %[mask]\n\t"
                                         "sub %[x], %[x], %[tried]\n\t"
                                         "and %[mask], %[mask], %[bit]\n\t"
                                         "or %[root], %[root], %[mask]\n\t"
                                         "srli %[bit], %[bit], 2\n\t"
                                         ".option pop"
        : [x] "+r"(x), [root] "+r"(root), [bit] "+r"(bit), [tried] "=&r"(tried), [mask] "=&r"(mask)
        : [n] "r"(7));
    return root;
}

/* Of a row of n elements. */
static TS_XP_INLINE ts_xp_moments ts_xp_measure(const int8_t *row, uint32_t n) {
    int32_t sum = 0, squares = 0;
    const int8_t *x = row;
    if (n >= 4) {
        int32_t word;
        __asm__ volatile(TS_XP_NORVC TS_XP_LOOP(
                             "n", "3") ".insn i 0x0b, 2, %[word], 4(%[x])\n\t"
                                       ".insn r 0x57, 7, 0x5d, %[sum], %[word], x0\n\t"
                                       ".insn r 0x57, 1, 0x5c, %[squares], %[word], %[word]\n\t"
                                       ".option pop"
                         : [word] "=&r"(word), [x] "+r"(x), [sum] "+r"(sum), [squares] "+r"(squares)
                         : [n] "r"(n / 4)
                         : "memory");
    }
    for (; x < row + n; x++) {
        sum += *x;
        squares = p_mac(squares, *x, *x);
    }
    const int32_t count = (int32_t)n, mean = ts_xp_quotient(sum, n);
    /* sum((x - mean)^2); modulo 2^32 on the way, its value fits. */
    const uint32_t centred =
        (uint32_t)squares - (uint32_t)mean * (2u * (uint32_t)sum - (uint32_t)(count * mean));
    return (ts_xp_moments){mean, ts_deviation_reciprocal(ts_xp_root(
                                     (uint32_t)ts_xp_quotient((int32_t)centred, n) + 1u))};
}

TS_XP_STAGE ts_xp_moments ts_xp_measure_row(const int8_t *row, uint32_t n) {
    return ts_xp_measure(row, n);
}

/* Elements [begin, end) of a row whose moments are known, one a turn: that is less code than words
 * and, with an increment in every access, no slower.
 *
 * n = centred * weight, |n| <= 255 * 2^15: the high word of 2 n * reciprocal, which fits 32 bits
 * for every deviation, is floor(n * reciprocal / 2^31). For negative n one more is n / d truncated
 * toward zero: n * reciprocal / 2^31 is below n / d by less than 1 / d, and never equal to it. */
static TS_XP_INLINE void ts_xp_normalise_elements(const ts_xp_norm *norm, ts_xp_moments moments,
                                                  const int8_t *row, uint32_t begin, uint32_t end,
                                                  int8_t *output) {
    const int16_t *weight = norm->weight + begin;
    const int32_t *bias = norm->bias + begin;
    const int8_t *x = row + begin;
    int8_t *to = output + begin;
    int32_t n, w, b;
    if (begin == end)
        return;
    __asm__ volatile(TS_XP_NORVC TS_XP_LOOP(
                         "count", "13") ".insn i 0x0b, 0, %[n], 1(%[x])\n\t" /* p.lb! */
                                        ".insn i 0x0b, 1, %[w], 2(%[weight])\n\t"
                                        "sub %[n], %[n], %[mean]\n\t"
                                        "mul %[n], %[n], %[w]\n\t"
                                        ".insn i 0x0b, 2, %[b], 4(%[bias])\n\t"
                                        "add %[n], %[n], %[n]\n\t"
                                        "mulhsu %[w], %[n], %[reciprocal]\n\t"
                                        "srli %[n], %[n], 31\n\t"
                                        "add %[n], %[n], %[b]\n\t"
                                        "add %[w], %[w], %[n]\n\t"
                                        "sra %[w], %[w], %[shift]\n\t"
                                        ".insn r 0x33, 1, 0x0a, %[w], %[w], x8\n\t" /* p.clip */
                                        ".insn s 0x2b, 0, %[w], 1(%[to])\n\t"       /* p.sb! */
                                        ".option pop"
                     : [x] "+r"(x), [weight] "+r"(weight), [bias] "+r"(bias), [to] "+r"(to),
                       [n] "=&r"(n), [w] "=&r"(w), [b] "=&r"(b)
                     : [count] "r"(end - begin), [mean] "r"(moments.mean),
                       [reciprocal] "r"(moments.reciprocal), [shift] "r"(norm->shift)
                     : "memory");
}

TS_XP_STAGE void ts_xp_normalise_part(const ts_xp_norm *norm, ts_xp_moments moments,
                                      const int8_t *row, uint32_t begin, uint32_t end,
                                      int8_t *output) {
    ts_xp_normalise_elements(norm, moments, row, begin, end, output);
}

/* This core's share of `rows` rows of n elements, `output` not `input` if `split`: then several
 * cores, 2, 4 or 8, share a row where there are fewer rows than cores, each measuring it. See
 * layernorm.h. */
TS_XP_STAGE void ts_xp_normalise(const ts_team *team, const ts_xp_norm *norm, const int8_t *input,
                                 uint32_t rows, uint32_t n, int8_t *output, int split) {
    uint32_t halvings = 0, units = rows;
    for (; split && 2 * units <= team->cores && 4u << halvings < n; halvings++)
        units *= 2;
    ts_range share = {team->core, ts_min(team->core + 1, units)};
    if (units > team->cores)
        share = ts_team_share(team, units);
    for (uint32_t unit = share.begin; unit < share.end; unit++) {
        const uint32_t row = unit >> halvings, part = unit - (row << halvings);
        const int8_t *from = input + row * n;
        const uint32_t begin = n * part >> halvings & ~3u;
        const uint32_t end = n * (part + 1) >> halvings;
        ts_xp_normalise_part(norm, ts_xp_measure_row(from, n), from, begin,
                             part + 1 == 1u << halvings ? n : end & ~3u, output + row * n);
    }
}

#endif
