"""The test kit: nodes with real databases, a real browser, and no access to other machines."""
