"""That two projects of other councils meet the same need, as a third council says."""
