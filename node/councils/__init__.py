"""Councils: the one of this node, and remote ones, which it follows or is followed by."""
