// SPDX-License-Identifier: Apache-2.0
/// \file
/// The few entry points of libunicorn 2.x that the simulator calls, resolved at run time with
/// dlopen. The Python wheel `unicorn` ships the library but installs no linkable name, so nothing
/// of Unicorn is needed to build this program.
#ifndef TOUCHSTONE_CORTEXM_UNICORN_API_H
#define TOUCHSTONE_CORTEXM_UNICORN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct uc_struct uc_engine;
typedef size_t uc_hook;
typedef int uc_err;

enum { UC_ARCH_ARM = 1, UC_MODE_THUMB = 1 << 4 };
enum { UC_CPU_ARM_CORTEX_M4 = 9, UC_CPU_ARM_CORTEX_M7 = 10 };
enum { UC_PROT_READ = 1, UC_PROT_WRITE = 2, UC_PROT_EXEC = 4 };

enum {
    UC_ERR_OK = 0,
    UC_ERR_READ_UNMAPPED = 6,
    UC_ERR_WRITE_UNMAPPED = 7,
    UC_ERR_FETCH_UNMAPPED = 8,
    UC_ERR_INSN_INVALID = 10,
    UC_ERR_WRITE_PROT = 12,
    UC_ERR_READ_PROT = 13,
    UC_ERR_FETCH_PROT = 14,
    UC_ERR_EXCEPTION = 21
};

enum {
    UC_MEM_READ = 16,
    UC_MEM_WRITE = 17,
    UC_MEM_FETCH = 18,
    UC_MEM_READ_UNMAPPED = 19,
    UC_MEM_WRITE_UNMAPPED = 20,
    UC_MEM_FETCH_UNMAPPED = 21,
    UC_MEM_WRITE_PROT = 22,
    UC_MEM_READ_PROT = 23,
    UC_MEM_FETCH_PROT = 24
};

enum {
    UC_HOOK_INTR = 1 << 0,
    UC_HOOK_CODE = 1 << 2,
    UC_HOOK_BLOCK = 1 << 3,
    UC_HOOK_MEM_UNMAPPED = 7 << 4,
    UC_HOOK_MEM_PROT = 7 << 7,
    UC_HOOK_MEM_READ = 1 << 10,
    UC_HOOK_MEM_WRITE = 1 << 11,
    UC_HOOK_INSN_INVALID = 1 << 14
};

enum {
    UC_ARM_REG_CPSR = 3,
    UC_ARM_REG_LR = 10,
    UC_ARM_REG_PC = 11,
    UC_ARM_REG_SP = 12,
    UC_ARM_REG_R0 = 66,
    UC_ARM_REG_S0 = 79
};

/// uc_ctl() requests: the operation is encoded as type | arguments << 26 | direction << 30.
#define UC_CTL_WRITE_REQUEST(type, arguments) ((type) | (arguments) << 26 | 1 << 30)
enum { UC_CTL_CPU_MODEL = 7, UC_CTL_TB_REMOVE_CACHE = 9, UC_CTL_TB_FLUSH = 10 };

/// The library's functions, named as in its manual without the `uc_` prefix.
typedef struct {
    unsigned (*version)(unsigned *major, unsigned *minor);
    uc_err (*open)(int arch, int mode, uc_engine **engine);
    uc_err (*close)(uc_engine *engine);
    const char *(*strerror)(uc_err error);
    uc_err (*ctl)(uc_engine *engine, int request, ...);
    uc_err (*reg_read)(uc_engine *engine, int reg, void *value);
    uc_err (*reg_write)(uc_engine *engine, int reg, const void *value);
    uc_err (*mem_map_ptr)(uc_engine *engine, uint64_t address, uint64_t size, uint32_t perms,
                          void *memory);
    uc_err (*hook_add)(uc_engine *engine, uc_hook *hook, int type, void *callback, void *user,
                       uint64_t begin, uint64_t end, ...);
    uc_err (*emu_start)(uc_engine *engine, uint64_t begin, uint64_t until, uint64_t timeout,
                        size_t count);
    uc_err (*emu_stop)(uc_engine *engine);
} UnicornApi;

/// Load the library at `path` and fill `api`. Returns NULL, or a text saying what is wrong (valid
/// until the next call of dlerror()).
const char *unicorn_api_load(UnicornApi *api, const char *path);

#endif
