"""Projects in formats for programs: feeds, CSV, JSON, data catalogue (DCAT), publiccode.yml."""
