# SPDX-License-Identifier: Apache-2.0
"""Whole networks: float weights, their quantisation, and graphs of others."""
