"""Documents of plugins' types: kept, federated, and given to whoever may see them."""
