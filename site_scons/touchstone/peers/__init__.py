# SPDX-License-Identifier: Apache-2.0
"""Other libraries on the same shapes, simulator and compilers: a user's checkout of each."""
