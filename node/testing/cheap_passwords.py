"""Passwords that cost little to check: the tests sign in some thousand times."""

from node.people.hashing import ARGON2_OPTIONS

# The least that argon2 takes.
CHEAP_OPTIONS = {"argon2__time_cost": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1}


def use_cheap_hashing() -> None:
    """For every node of this process that is made from now on."""
    ARGON2_OPTIONS.update(CHEAP_OPTIONS)
