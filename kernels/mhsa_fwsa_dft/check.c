// SPDX-License-Identifier: Apache-2.0
#include "../mhsa_fwsa/check.h"
#include "mhsa_fwsa_dft.h"

ts_status ts_mhsa_fwsa_dft_check(const ts_team *team, const ts_mhsa_fwsa_args *args,
                                 const void *scratch) {
    return ts_mhsa_fwsa_check_args(team, args, scratch, ts_mhsa_fwsa_dft_scratch);
}
