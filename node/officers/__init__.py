"""Officers of the council who chose to be seen by name, each as a `Person` that can be followed."""
