"""What somebody typed into a form and did not save yet: kept, so that nothing is lost."""
