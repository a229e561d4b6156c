"""From a published activity to its delivery."""
