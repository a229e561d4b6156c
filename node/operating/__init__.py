"""The operator's pages: deliveries, servers, received messages, sync and troubleshooting."""

from node.operating import mail_views, server_list_views, status_views, views
from node.operating.blueprint import OPERATE, blueprint

__all__ = ["OPERATE", "blueprint", "mail_views", "server_list_views", "status_views", "views"]
