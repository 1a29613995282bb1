/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of a single row for XpulpV2: assembly of kernels/generators/xpulp_single.py, which says
 * what it computes and why this way. */
#ifndef TS_XPULP_SINGLE_H
#define TS_XPULP_SINGLE_H

#include "../mhsa/mhsa.h"
#include "../mhsa_fwsa/mhsa_fwsa.h"

/* S is 1. `other` does it where values, context or output are rounded or scaled per channel, or
 * values or output times their multiplier may need more than 32 bits; what the scratch memory holds
 * then is of no use. Else it holds the context, of align4(H * P) bytes. */
void ts_xp_single_attention(const ts_team *team, const ts_mhsa_args *args, void *scratch,
                            ts_mhsa_fn *other);
void ts_xp_single_fused_attention(const ts_team *team, const ts_mhsa_fwsa_args *args, void *scratch,
                                  ts_mhsa_fwsa_fn *other);

#endif
