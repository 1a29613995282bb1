# SPDX-License-Identifier: Apache-2.0
"""Figures over time: committed baselines, their gate, the history by commit, comparisons."""
