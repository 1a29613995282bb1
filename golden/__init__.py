# SPDX-License-Identifier: Apache-2.0
"""Integer golden models, input generators, packers and float references of the kernels.

A project that uses Touchstone from outside has golden models of its own in its folder golden/.
"""

import pkgutil

__path__ = pkgutil.extend_path(__path__, __name__)
