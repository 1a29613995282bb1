/* SPDX-License-Identifier: Apache-2.0 */
#include "crc32.h"

/*
 * Neither const nor static: so no compiler moves it away from the initialised data, which is in the
 * fast memory, to the constants, which on some targets are not. Four bits a step: a table for whole
 * bytes would take a kilobyte of it.
 */
extern uint32_t ts_crc32_table[16];
uint32_t ts_crc32_table[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

static uint32_t step(uint32_t crc) { return (crc >> 4) ^ ts_crc32_table[crc & 15]; }

static uint32_t add_byte(uint32_t crc, uint8_t byte) { return step(step(crc ^ byte)); }

static uint32_t four_steps(uint32_t crc) { return step(step(step(step(crc)))); }

/* A word at a time: one slow load instead of four where the bytes lie in a far memory. */
static uint32_t add_word(uint32_t crc, uint32_t word) { return four_steps(four_steps(crc ^ word)); }

uint32_t ts_crc32(uint32_t crc, const void *bytes, uint32_t count) {
    const uint8_t *at = bytes;
    crc = ~crc;
    while (count > 0 && ((uintptr_t)at & 3) != 0) {
        crc = add_byte(crc, *at++);
        count--;
    }
    for (; count >= 4; count -= 4, at += 4) {
        crc = add_word(crc, *(const uint32_t *)at);
    }
    while (count-- > 0) {
        crc = add_byte(crc, *at++);
    }
    return ~crc;
}
