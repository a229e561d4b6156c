"""What shows that the work is worth it: the evidence pack, and reports of a period."""
