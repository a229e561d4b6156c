"""Synchronisation of published projects, updates and plugin documents between nodes: the collection
and digests for other nodes, and the comparison with theirs.
"""
