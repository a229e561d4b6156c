"""Public profiles of officers who chose to have one, each a `Person` actor with followers."""
