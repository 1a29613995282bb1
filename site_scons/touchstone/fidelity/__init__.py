# SPDX-License-Identifier: Apache-2.0
"""How far the embedded GAP9 simulator is from GVSOC: small programs, frozen images, live cells."""
