"""Finding projects and their outputs: the index, what is asked of it, searches that are kept."""
