"""Passwords that cost little to check: the tests sign in some thousand times."""

from node.people.hashing import PARAMETERS

# The least that argon2 takes.
CHEAP = {"argon2__time_cost": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1}


def make_cheap() -> None:
    """For every node of this process that is made from now on."""
    PARAMETERS.update(CHEAP)
