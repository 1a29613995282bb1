# SPDX-License-Identifier: Apache-2.0
"""Toolchains: what turns sources into firmware. One module per toolchain."""
