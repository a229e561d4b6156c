"""What is new in a project, told by its council."""
