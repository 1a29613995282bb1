# SPDX-License-Identifier: Apache-2.0
"""Does the checker check? Kernels and golden models are broken on purpose; it must be seen."""
