# SPDX-License-Identifier: Apache-2.0
"""Where a network's integers come from."""

from __future__ import annotations

from typing import Any

from touchstone.errors import UserError
from touchstone.network.model import Model

SEED = 42


def network_of(model: Model) -> Any:
    """The golden.networks.IntegerNetwork of a description: random weights, the same everywhere."""
    # Imported here: golden models need numpy.
    from golden.case import GoldenError
    from golden.random_network import build

    try:
        return build(model, SEED)
    except GoldenError as error:
        raise UserError(f"{model.where}: {error}") from None
