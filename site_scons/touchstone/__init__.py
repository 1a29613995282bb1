# SPDX-License-Identifier: Apache-2.0
"""Touchstone: plans, builds, simulates and checks a matrix of kernels. Imports no SCons."""
