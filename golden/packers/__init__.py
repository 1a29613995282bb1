# SPDX-License-Identifier: Apache-2.0
"""Weight layouts: packed_shape(shape) -> shape (without numpy) and pack(array) -> array."""
