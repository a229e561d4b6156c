"""The pages and words with which an operator looks after the node."""
