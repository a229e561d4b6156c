"""How Hypothesis looks for examples, the same ones each time and at the machine's own pace; and
which tests run on SQLite alone before a change lands.
"""

import pytest
from hypothesis import HealthCheck, settings

from tests.nightly import ON_POSTGRESQL

# A busy machine is slow now and then; that says nothing about the code. New examples are looked
# for on purpose, with `./dev test --hypothesis-profile=explore`.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is marked
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        file = item.nodeid.partition("::")[0]
        callspec = getattr(item, "callspec", None)
        if file in ON_POSTGRESQL and callspec and "postgresql" in callspec.params.values():
            item.add_marker(pytest.mark.nightly)
