// SPDX-License-Identifier: Apache-2.0
/* What a bare Cortex-M4 needs before main(): vectors, memory, the floating-point unit; and, for
 * whoever watches, text and exit status by semihosting (a debugger, a simulator). */
#include <stddef.h>
#include <stdint.h>

extern uint32_t __stack_top[], __data_start[], __data_end[], __data_load[];
extern uint32_t __bss_start[], __bss_end[];

int main(void);
void say(const char *text);
void reset(void);

enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_EXIT_EXTENDED = 0x20 };
enum { MODE_WRITE = 4, APPLICATION_EXIT = 0x20026 };

static uint32_t semihost(uint32_t operation, const void *arguments) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void say(const char *text) {
    static uint32_t handle;
    uint32_t length = 0;
    while (text[length] != '\0')
        length++;
    if (handle == 0) {
        const uint32_t arguments[3] = {(uint32_t)(uintptr_t)":tt", MODE_WRITE, 3};
        handle = semihost(SYS_OPEN, arguments);
    }
    const uint32_t arguments[3] = {handle, (uint32_t)(uintptr_t)text, length};
    semihost(SYS_WRITE, arguments);
}

__attribute__((noreturn)) void reset(void) {
    volatile uint32_t *const cpacr = (volatile uint32_t *)0xE000ED88;
    *cpacr |= 0xFu << 20; /* the kernels keep operands in FPU registers */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    for (volatile uint32_t *to = __data_start, *from = __data_load; to < __data_end;)
        *to++ = *from++;
    for (volatile uint32_t *to = __bss_start; to < __bss_end;)
        *to++ = 0;
    const uint32_t arguments[2] = {APPLICATION_EXIT, (uint32_t)main()};
    semihost(SYS_EXIT_EXTENDED, arguments);
    for (;;)
        __asm__ volatile("");
}

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[2] = {
    (uintptr_t)__stack_top,
    (uintptr_t)reset,
};
