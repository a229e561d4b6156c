"""Import of projects from files of other programs: a reader for each format, and the import."""
