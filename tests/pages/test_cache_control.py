"""Pages about passwords are kept by nobody on the way; `tests/visibility` looks at all others."""

import pytest

from node.testing.visitor import Visitor

NO_STORE = "private, no-store"


@pytest.mark.parametrize("path", ["/sign-in", "/forgotten-password", "/new-password?key=x"])
def test_pages_of_passwords_are_stored_by_nobody(stranger: Visitor, path: str) -> None:
    assert stranger.visit(path).headers["Cache-Control"] == NO_STORE
