"""Councils: our own, and those of other nodes that we follow."""
