# SPDX-License-Identifier: Apache-2.0
"""Simulators: what runs an image. One module per simulator, one interface (`base`)."""
