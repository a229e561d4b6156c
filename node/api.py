"""The only door for plugins: what is here stays as it is for as long as `API_VERSION` does.

Hooks and what they take and give
    `hookimpl`, `API_VERSION`, `PluginDetails`, `NavigationItem`, `Permission`, `Section`,
    `ProjectView`, `Work`. See `node.hookspecs`.
Tables
    `Base`, the declarative base; `Uri`, the column type of ids; `now`, the time with its zone;
    `insert_once`, which inserts a row unless it is there already.
Pages
    `permission` and `PUBLIC` mark a view with what it needs (a view without is not served); `may`
    says whether the reader has a permission; `HouseForm` is a form in the house style. Templates
    extend `layout.html` and use the macros in `components/form.html` and `components/links.html`.
Errors
    `InvalidInputError`, `NotFoundError`: raised by a service, worded for people with `say` and
    `say_count`, and shown by the node in the reader's language. `said` gives such a sentence, or
    one of the plugin's data that its catalogue has, in that language: for views and templates.
The current request
    `work`, a plugin's part of its transaction; `project`, a look-up.
"""

from contextlib import AbstractContextManager

from node.db import Base, insert_once, now
from node.errors import InvalidInputError, NotFoundError
from node.federating.models import Uri
from node.federating.views.asking import current_reader
from node.forms import HouseForm
from node.hooks import part_of
from node.hookspecs import (
    API_VERSION,
    NavigationItem,
    Permission,
    PluginDetails,
    ProjectView,
    Section,
    Work,
    hookimpl,
)
from node.languages import said
from node.people.permissions import may
from node.projects import service as projects
from node.request import PUBLIC, current_work, permission
from node.wording import say, say_count

__all__ = [
    "API_VERSION",
    "PUBLIC",
    "Base",
    "HouseForm",
    "InvalidInputError",
    "NavigationItem",
    "NotFoundError",
    "Permission",
    "PluginDetails",
    "ProjectView",
    "Section",
    "Uri",
    "Work",
    "hookimpl",
    "insert_once",
    "may",
    "now",
    "permission",
    "project",
    "said",
    "say",
    "say_count",
    "work",
]


def work(plugin: str) -> AbstractContextManager[Work]:
    """`plugin`'s part of the transaction of this request, which the node commits at its end.

    An exception that leaves the block undoes what was done in it.
    """
    return part_of(current_work(), plugin)


def project(token: str) -> ProjectView:
    """The project with this token, ours or another council's, as far as whoever asks may see it; a
    draft for those who may edit it.

    Raises `NotFoundError` where there is none for them, and `GoneError` where it was deleted.
    """
    reader = current_reader()
    found = projects.by_token(current_work().session, token, reader, drafts=may("projects.edit"))
    return projects.as_view(found)
