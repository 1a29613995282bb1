# SPDX-License-Identifier: Apache-2.0
"""A real signal as activations: windows of the ECG that PyWavelets ships (pywt.data.ecg).

Tokens as in ECGFormer: row s holds E consecutive samples from sample 3 s on (stride 3), so
neighbouring rows overlap and are strongly correlated, unlike random data. The start is drawn
from the seed. The record has 1024 samples and is read as a ring: when 3 (S - 1) + E exceeds 1024
the windows wrap around, with a step where the end meets the beginning. No other limit.

Quantisation (integers only): q = floor((254 x + m) / (2 m)) with m = max |x|, i.e. 127 x / m
rounded half up, so the range is -127..127.
"""

from __future__ import annotations

import numpy as np

from golden.case import Array, GoldenError
from golden.counter_rng import CounterRng

TOKEN_STRIDE = 3


def quantise(samples: Array) -> Array:
    """int8 of integer samples, the largest magnitude becomes 127."""
    wide = samples.astype(np.int64)
    largest = int(np.abs(wide).max())
    if largest == 0:
        raise GoldenError("the ECG record is all zero")
    return ((254 * wide + largest) // (2 * largest)).astype(np.int8)


def load_record() -> Array:
    """The record as the installed PyWavelets has it (integers)."""
    try:
        import pywt.data
    except ImportError as error:
        raise GoldenError("data=ecg needs the package PyWavelets") from error
    record: Array = np.asarray(pywt.data.ecg())
    if record.ndim != 1 or record.dtype.kind not in "iu":
        raise GoldenError("pywt.data.ecg() is not a row of integers")
    return record


def ecg_tokens(rng: CounterRng, rows: int, width: int) -> Array:
    """int8 [rows,width]."""
    record = quantise(load_record())
    start = rng.integer("ecg.start", 0, record.size - 1)
    index = start + TOKEN_STRIDE * np.arange(rows)[:, None] + np.arange(width)[None, :]
    tokens: Array = record[index % record.size]
    return tokens
