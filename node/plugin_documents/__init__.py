"""Documents of the types that plugins declare: stored, federated and shown to their audience."""
