"""Comments and reactions on projects, written here or received from other servers."""
