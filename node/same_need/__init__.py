"""Statements by a third council that two projects of other councils meet the same need."""
