# SPDX-License-Identifier: Apache-2.0
"""Weight layouts: packed_shape(shape) -> shape (without numpy), pack(array) -> array and, where the
type of the elements changes, PACKED_TYPE.

A project that uses Touchstone from outside has packers of its own in its folder golden/packers/.
"""

import pkgutil

__path__ = pkgutil.extend_path(__path__, __name__)
