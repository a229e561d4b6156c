"""Projects out of files of other programs: a reader for each format, and what is done with them."""
