# SPDX-License-Identifier: Apache-2.0
"""Continuous integration: the plan as data, shards of it, and putting shards together again."""
