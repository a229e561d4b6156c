"""Makes password hashing cheap: the tests sign in some thousand times."""

from node.people.hashing import ARGON2_OPTIONS

# The minimum that argon2 accepts.
CHEAP_OPTIONS = {"argon2__time_cost": 1, "argon2__memory_cost": 8, "argon2__parallelism": 1}


def use_cheap_hashing() -> None:
    """Use cheap hashes in every node that this process creates from now on."""
    ARGON2_OPTIONS.update(CHEAP_OPTIONS)
