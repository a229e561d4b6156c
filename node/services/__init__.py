"""The services that councils give, by their numbers in the Local Government Service List."""
