/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing of this device matters to the harness beyond its core and its memory map. */
#include "../common/cortexm/board.c"
