// SPDX-License-Identifier: Apache-2.0
#include "../mhsa/check.h"
#include "mhsa_dft.h"

ts_status ts_mhsa_dft_check(const ts_team *team, const ts_mhsa_args *args, const void *scratch) {
    return ts_mhsa_check_args(team, args, scratch, ts_mhsa_dft_scratch);
}
