// SPDX-License-Identifier: Apache-2.0
#include "unicorn_api.h"

#include <dlfcn.h>
#include <string.h>

// ISO C has no conversion from void * to a function pointer; POSIX guarantees the representation.
static bool resolve(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

const char *unicorn_api_load(UnicornApi *api, const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return dlerror();
    }
    bool complete =
        resolve(library, "uc_version", &api->version) && resolve(library, "uc_open", &api->open) &&
        resolve(library, "uc_close", &api->close) &&
        resolve(library, "uc_strerror", &api->strerror) && resolve(library, "uc_ctl", &api->ctl) &&
        resolve(library, "uc_reg_read", &api->reg_read) &&
        resolve(library, "uc_reg_write", &api->reg_write) &&
        resolve(library, "uc_mem_map_ptr", &api->mem_map_ptr) &&
        resolve(library, "uc_hook_add", &api->hook_add) &&
        resolve(library, "uc_emu_start", &api->emu_start) &&
        resolve(library, "uc_emu_stop", &api->emu_stop);
    if (!complete) {
        return "it lacks functions of Unicorn 2";
    }
    unsigned major = 0;
    unsigned minor = 0;
    api->version(&major, &minor);
    return major == 2 ? NULL : "it is not Unicorn 2";
}
