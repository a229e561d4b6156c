"""Two councils on one machine: two processes with a database each, which federate over loopback."""

from node.demo.journey import once
from node.demo.running import stay

__all__ = ["once", "stay"]
