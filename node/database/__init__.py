"""The database: engines, tables, transactions, and what changed in them."""
