"""Search for projects and outputs: the full-text index, queries, filters and saved searches."""
