"""Federation with other servers: actors, follows, the outbox and its deliveries, the inbox, and the
list of peers.
"""
