# SPDX-License-Identifier: Apache-2.0
"""Where cells are simulated: here, or on the workers of a dask cluster (docs/clusters.md).

A simulation is a pure function from bytes to bytes: firmware, inputs, specification and simulator
go out, the contents of cell.run come back.
"""
