"""Ends tests whose requirements this machine lacks."""

import os
from typing import NoReturn

import pytest

NOT_RUN_PREFIX = "NOT RUN"


def end_as_not_run(reason: str) -> NoReturn:
    """End the test as not run; with CI=true, as failed. `reason` says what is missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{NOT_RUN_PREFIX}: {reason}", pytrace=False)
    pytest.skip(f"{NOT_RUN_PREFIX}: {reason}")
