"""The demonstration: councils on one machine, each with a process and a database of its own, which
federate over loopback.
"""

from node.demo.end_to_end import run_once
from node.demo.nodes import run_until_stopped

__all__ = ["run_once", "run_until_stopped"]
