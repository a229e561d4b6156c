"""Applications that tests use one after the other: to make one takes longer than most tests.

What an application learns while it serves (routes, templates, SQL that is compiled) it may keep.
What a node remembers of what happened it may not: it begins anew. An application that a test
changed is not used again.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from flask import Flask

from node.app import add_jobs, node_of
from node.jobs import Jobs
from node.moderation import views as moderation
from node.outbound import Outbound
from node.passwords import views as passwords
from node.people import forms
from node.people.tries import SignInTries, Tries
from node.request import EXTENSION
from node.rest import asking as rest
from node.runtime import Node

# More of them are made anew, so that memory stays what it is.
MOST = 24
# What counts within one process, and how it begins.
COUNTERS: Mapping[str, Callable[[], object]] = {
    forms.EXTENSION: SignInTries,
    rest.EXTENSION: rest.Limits,
    passwords.EXTENSION: passwords.Asked,
    moderation.EXTENSION: lambda: Tries(moderation.MOST_REPORTS, moderation.HOUR),
}
# Ours that hold nothing of what happened.
CONSTANT = frozenset({EXTENSION, "moothall-headers"})


@dataclass
class KeptApp:
    """An application and what it was like when it was made."""

    app: Flask
    url: str
    _made: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self._made = _shape(self.app)

    @property
    def is_as_made(self) -> bool:
        """Whether nobody changed it, nobody uses its database, and all that it counts is known."""
        node = node_of(self.app)
        ours = {name for name in self.app.extensions if name.startswith(EXTENSION)}
        return (
            ours == CONSTANT | COUNTERS.keys()
            and _shape(self.app) == self._made
            and not node.hooks.failures
            and node.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # of a QueuePool
        )

    def rest(self) -> None:
        """Let go of what it holds."""
        node = node_of(self.app)
        node.outbound.close()
        node.engine.dispose()

    def begin_anew(self, outbound: Outbound) -> None:
        """Forget all that happened."""
        node = node_of(self.app)
        fresh: dict[str, Any] = {
            part.name: part.default_factory()
            for part in fields(Node)
            if part.default_factory is not MISSING
        }
        fresh |= {"outbound": outbound, "jobs": Jobs(node.settings, node.settings.secret_key)}
        for name, value in fresh.items():
            object.__setattr__(node, name, value)  # it is frozen for whoever is no test
        add_jobs(node, self.app)
        for name, begin in COUNTERS.items():
            self.app.extensions[name] = begin()


class KeptApps:
    """Those that rest, by what they were made with."""

    def __init__(self) -> None:
        self._resting: OrderedDict[int, tuple[str, KeptApp]] = OrderedDict()

    def take(self, made_with: str) -> KeptApp | None:
        for key, (what, kept) in reversed(self._resting.items()):
            if what == made_with:
                del self._resting[key]
                return kept
        return None

    def give(self, made_with: str, kept: KeptApp) -> list[str]:
        """It rests until it is used again. Returns the databases of those that will not be."""
        is_as_made = kept.is_as_made
        kept.rest()
        if not is_as_made:
            return [kept.url]
        self._resting[id(kept)] = made_with, kept
        if len(self._resting) <= MOST:
            return []
        _key, (_what, oldest) = self._resting.popitem(last=False)
        return [oldest.url]


def _shape(app: Flask) -> dict[str, object]:
    """What a test might change of an application."""
    hooks = ("before_request_funcs", "after_request_funcs", "teardown_request_funcs")
    return {
        "config": dict(app.config),
        "door": app.wsgi_app,
        "views": dict(app.view_functions),
        "words": dict(app.jinja_env.globals),
        "extensions": {
            name: id(value) for name, value in app.extensions.items() if name not in COUNTERS
        },
        **{
            name: {where: list(found) for where, found in getattr(app, name).items()}
            for name in hooks
        },
    }
