"""Two councils on one machine: two processes with a database each, which federate over loopback."""

from node.demo.end_to_end import run_once
from node.demo.nodes import run_until_stopped

__all__ = ["run_once", "run_until_stopped"]
