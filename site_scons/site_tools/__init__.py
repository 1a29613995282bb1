# SPDX-License-Identifier: Apache-2.0
"""The SCons tools. Installed, this folder is the package touchstone_scons (docs/builders.md)."""
