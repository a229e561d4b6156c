"""The database's history. `versions` is the core's; every plugin keeps its own in its folder."""
