"""What needs the attention of whoever is signed in, and nothing else."""
