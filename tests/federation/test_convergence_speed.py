"""Where two councils differ in much, they agree again in good time."""

import re
import threading
from typing import Any

from node.testing.nodes import Nodes
from tests.federation.converging import change, compare, comparison, held, lose_deliveries, publish
from tests.federation.test_main_job import follow


def test_several_are_asked_for_at_once(nodes: Nodes) -> None:
    """The origin answers none of them before it was asked for another."""
    here, there = nodes.pair()
    follow(nodes, there, here)
    publish(here, "Bins", "Potholes")
    nodes.run_until_idle()
    change(here, "Bins", "Bins, emptied")
    change(here, "Potholes", "Potholes, filled")
    lose_deliveries(here)
    together, app = threading.Barrier(2), here.app

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        if re.fullmatch(r"/projects/[^/]+", environ["PATH_INFO"]):
            together.wait(timeout=20)
        return app(environ, start_response)

    nodes.apps[here.host] = answer
    compare(nodes, there)
    assert held(there, here) == held(here, here)
    assert comparison(there).agreed_at is not None
