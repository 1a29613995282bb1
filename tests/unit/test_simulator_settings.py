# SPDX-License-Identifier: Apache-2.0
"""Settings of simulators: what has no meaning is one line, never a crash of the simulator."""

from __future__ import annotations

import pytest

from touchstone.errors import UserError
from touchstone.simulators.registry import check_settings
from touchstone.table import _settings_that_count


@pytest.mark.parametrize(
    ("simulator", "setting", "value"),
    [
        ("unicorn", "flash_wait_states", "16"),
        ("unicorn", "flash_wait_states", "-1"),
        ("unicorn", "flash_prefetch", "yes"),
        ("unicorn", "flash_line_bytes", "12"),
        ("unicorn", "over_reads", "on"),
        ("command", "counts", "seconds"),
        ("xpulp", "weights", "away"),
        ("gvsoc", "weights", "far away"),
    ],
)
def test_values_that_mean_nothing(simulator: str, setting: str, value: str) -> None:
    with pytest.raises(UserError, match=rf"settings \({simulator}\): {setting}: found '{value}'"):
        check_settings(simulator, {setting: value})


def test_values_that_mean_something() -> None:
    check_settings("unicorn", {})
    check_settings("unicorn", {"flash_wait_states": 4, "flash_line_bytes": 32})
    check_settings("unicorn", {"flash_wait_states": "15", "flash_prefetch": "off"})
    check_settings("command", {"counts": "cycles"})


def test_the_line_below_the_table_says_what_counts() -> None:
    plain = {
        "over_reads": "allow",
        "flash_wait_states": "0",
        "flash_prefetch": "on",
        "flash_line_bytes": "8",
    }
    assert _settings_that_count(plain) == ["zero-wait memory"]
    assert _settings_that_count({**plain, "flash_wait_states": "4", "over_reads": "trap"}) == [
        "flash_line_bytes 8",
        "flash_prefetch on",
        "flash_wait_states 4",
        "over_reads trap",
    ]
