# SPDX-License-Identifier: Apache-2.0
"""Weight layouts: packed_shape(shape) -> shape (without numpy), pack(array) -> array and, where the
type of the elements changes, PACKED_TYPE."""
