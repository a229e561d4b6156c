"""The operator's pages: deliveries, servers, received messages, sync and troubleshooting."""

from node.operating import mail_views, server_list_views, status_views, views
from node.operating.blueprint import blueprint

__all__ = ["blueprint", "mail_views", "server_list_views", "status_views", "views"]
