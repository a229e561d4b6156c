"""The Local Government Service List: services of councils with their numbers."""
