"""What a test needs and this machine does not have."""

import os
from typing import NoReturn

import pytest

NOT_RUN = "NOT RUN"


def end_as_not_run(what: str) -> NoReturn:
    """End the test as not run, saying `what` is missing; where CI=true, as failed."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{NOT_RUN}: {what}", pytrace=False)
    pytest.skip(f"{NOT_RUN}: {what}")
