# SPDX-License-Identifier: Apache-2.0
"""Whole networks: their description, memory plan, generated C, and what came of running it."""
