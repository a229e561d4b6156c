"""Events that users are notified of, recorded in the transaction in which they occur.

`node.notifications` turns them into notifications.
"""
