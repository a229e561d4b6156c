"""The councils' nodes talking to each other: actors, following, publishing, delivery, the inbox,
peers.
"""
