"""What others say about a project, here and from the fediverse."""
