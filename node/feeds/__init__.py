"""What programs read of projects: feeds, tables, the catalogue of data, publiccode.yml."""
