# SPDX-License-Identifier: Apache-2.0
"""Integer golden models, input generators, packers and float references of the kernels."""
