"""Following, and keeping up with those we follow."""
