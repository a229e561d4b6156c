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

from node.app import add_jobs, get_node
from node.jobs import Jobs
from node.moderation import views as moderation
from node.outbound import Outbound
from node.passwords import views as passwords
from node.people import forms
from node.people.attempt_limits import AttemptLimiter, SignInLimiter
from node.request import EXTENSION_KEY
from node.rest import auth_and_limits as rest
from node.runtime import Node

# More of them are made anew, so that memory stays what it is.
MAX_POOLED = 24
# What counts within one process, and how it begins.
COUNTERS: Mapping[str, Callable[[], object]] = {
    forms.EXTENSION_KEY: SignInLimiter,
    rest.EXTENSION_KEY: rest.ApiRateLimits,
    passwords.EXTENSION_KEY: passwords.PasswordRequestLimits,
    moderation.EXTENSION: lambda: AttemptLimiter(moderation.MAX_REPORTS, moderation.HOUR_SECONDS),
}
# Ours that hold nothing of what happened.
STATELESS_EXTENSIONS = frozenset({EXTENSION_KEY, "moothall-headers"})


@dataclass
class PooledApp:
    """An application and what it was like when it was made."""

    app: Flask
    url: str
    _snapshot: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self._snapshot = _take_snapshot(self.app)

    @property
    def is_unchanged(self) -> bool:
        """Whether nobody changed it, nobody uses its database, and all that it counts is known."""
        node = get_node(self.app)
        ours = {name for name in self.app.extensions if name.startswith(EXTENSION_KEY)}
        return (
            ours == STATELESS_EXTENSIONS | COUNTERS.keys()
            and _take_snapshot(self.app) == self._snapshot
            and not node.hooks.failures
            and node.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # of a QueuePool
        )

    def release_resources(self) -> None:
        """Let go of what it holds."""
        node = get_node(self.app)
        node.outbound.close()
        node.engine.dispose()

    def reset(self, outbound: Outbound) -> None:
        """Forget all that happened."""
        node = get_node(self.app)
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


class AppPool:
    """Those that rest, by what they were made with."""

    def __init__(self) -> None:
        self._idle: OrderedDict[int, tuple[str, PooledApp]] = OrderedDict()

    def acquire(self, made_with: str) -> PooledApp | None:
        for key, (what, kept) in reversed(self._idle.items()):
            if what == made_with:
                del self._idle[key]
                return kept
        return None

    def release(self, made_with: str, kept: PooledApp) -> list[str]:
        """It rests until it is used again. Returns the databases of those that will not be."""
        is_as_made = kept.is_unchanged
        kept.release_resources()
        if not is_as_made:
            return [kept.url]
        self._idle[id(kept)] = made_with, kept
        if len(self._idle) <= MAX_POOLED:
            return []
        _key, (_what, oldest) = self._idle.popitem(last=False)
        return [oldest.url]


def _take_snapshot(app: Flask) -> dict[str, object]:
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
