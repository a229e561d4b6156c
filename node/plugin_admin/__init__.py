"""Plugins as the operator looks after them: switched on and off, set, their failures, purged."""
