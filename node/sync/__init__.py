"""All that a council publishes, projects and their updates: how other nodes read it and compare it
with what they hold, and how we do so with theirs.
"""
