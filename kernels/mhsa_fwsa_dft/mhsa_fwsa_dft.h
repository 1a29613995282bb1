// SPDX-License-Identifier: Apache-2.0
/* Multi-head self-attention block with fused query and key weights and depth-first tiling:
 * mhsa_fwsa, bit for bit, without ever holding an attention map. See mhsa_dft.h; the keys are the
 * input itself. Operands are those of mhsa_fwsa.
 *
 * MACs: H*(S*E*E + S*S*E) + 2*S*E*P*H + H*S*S*P (TS_ORDER_RECOMPUTE does more).
 * Calling convention: ts_kernel.h. */
#ifndef TS_MHSA_FWSA_DFT_H
#define TS_MHSA_FWSA_DFT_H

#include "../mhsa_fwsa/mhsa_fwsa.h"

ts_mhsa_fwsa_fn ts_mhsa_fwsa_dft, ts_mhsa_fwsa_dft_portable;
ts_scratch_fn ts_mhsa_fwsa_dft_scratch, ts_mhsa_fwsa_dft_portable_scratch;
ts_mhsa_fwsa_fn ts_mhsa_fwsa_dft_xpulp;
ts_scratch_fn ts_mhsa_fwsa_dft_xpulp_scratch;
ts_mhsa_fwsa_fn ts_mhsa_fwsa_dft_cortexm7;
ts_scratch_fn ts_mhsa_fwsa_dft_cortexm7_scratch;
ts_mhsa_fwsa_fn ts_mhsa_fwsa_dft_cortexm4;
ts_scratch_fn ts_mhsa_fwsa_dft_cortexm4_scratch;

/* TS_OK, or what is wrong with the arguments. */
ts_status ts_mhsa_fwsa_dft_check(const ts_team *team, const ts_mhsa_fwsa_args *args,
                                 const void *scratch);

#endif
