# SPDX-License-Identifier: Apache-2.0
"""`./scons plan`: which of the bit-identical ways to compute an operation to use, and why."""
