"""Two real nodes for all journeys of a run, and a browser for a second user."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.journeys.town import Council, adjacent_ports, demonstration


@pytest.fixture(scope="session")
def _councils(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Council, Council]]:
    with demonstration(tmp_path_factory.mktemp("journeys"), adjacent_ports()) as councils:
        yield councils


@pytest.fixture
def here(_councils: tuple[Council, Council]) -> Council:
    """The council that publishes."""
    return _councils[0]


@pytest.fixture
def there(_councils: tuple[Council, Council]) -> Council:
    """The council that follows it."""
    return _councils[1]


@pytest.fixture
def second_browser(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    """The browser of a second user, with the options of the first."""
    marker = request.node.get_closest_marker("browser")
    with chromium.new_context(locale="en-GB", **(marker.kwargs if marker else {})) as context:
        yield context
