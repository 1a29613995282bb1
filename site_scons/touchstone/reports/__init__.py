# SPDX-License-Identifier: Apache-2.0
"""Reports: what people and other programs read of a command's results."""
