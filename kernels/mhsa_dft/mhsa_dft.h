// SPDX-License-Identifier: Apache-2.0
/* Multi-head self-attention block with depth-first tiling: mhsa, bit for bit, without ever holding
 * an attention map. One tile of query rows at a time goes through scores, softmax and context; its
 * size, the heads at once and what is kept between tiles are `shape.schedule`, which decides
 * cycles and scratch (ts_types.h). Operands are those of mhsa.
 *
 * MACs: 4*S*E*P*H + 2*H*S*S*P (TS_ORDER_RECOMPUTE does more). Calling convention: ts_kernel.h. */
#ifndef TS_MHSA_DFT_H
#define TS_MHSA_DFT_H

#include "../mhsa/mhsa.h"

ts_mhsa_fn ts_mhsa_dft, ts_mhsa_dft_portable;
ts_scratch_fn ts_mhsa_dft_scratch, ts_mhsa_dft_portable_scratch;
ts_mhsa_fn ts_mhsa_dft_xpulp;
ts_scratch_fn ts_mhsa_dft_xpulp_scratch;
ts_mhsa_fn ts_mhsa_dft_cortexm7;
ts_scratch_fn ts_mhsa_dft_cortexm7_scratch;
ts_mhsa_fn ts_mhsa_dft_cortexm4;
ts_scratch_fn ts_mhsa_dft_cortexm4_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_mhsa_dft_check(const ts_team *team, const ts_mhsa_args *args, const void *scratch);

#endif
