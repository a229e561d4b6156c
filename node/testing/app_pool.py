"""A pool of applications that tests reuse: creating one takes longer than most tests.

Between tests an application keeps its caches (routes, templates, compiled SQL), but the state of
its node is reset. An application that a test changed is not reused.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from flask import Flask

from node.app import get_node, register_jobs
from node.jobs import Jobs
from node.moderation import views as moderation
from node.outbound import OutboundClient
from node.passwords import views as passwords
from node.people import forms
from node.people.attempt_limits import AttemptLimiter, SignInLimiter
from node.request import EXTENSION_KEY
from node.rest import auth_and_limits as rest
from node.runtime import Node

# Idle applications kept, to limit memory.
MAX_POOLED = 24
# Extensions with in-process state, and factories of their initial values.
LIMITER_FACTORIES: Mapping[str, Callable[[], object]] = {
    forms.EXTENSION_KEY: SignInLimiter,
    rest.EXTENSION_KEY: rest.ApiRateLimits,
    passwords.EXTENSION_KEY: passwords.PasswordRequestLimits,
    moderation.LIMITER_KEY: lambda: AttemptLimiter(
        moderation.MAX_REPORTS_PER_HOUR, moderation.HOUR_SECONDS
    ),
}
# Our extensions without state.
STATELESS_EXTENSIONS = frozenset({EXTENSION_KEY, "moothall-headers"})


@dataclass
class PooledApp:
    """An application with a snapshot of its initial state, and its database URL."""

    app: Flask
    url: str
    _snapshot: dict[str, object] = field(init=False)

    def __post_init__(self) -> None:
        self._snapshot = _take_snapshot(self.app)

    @property
    def is_unchanged(self) -> bool:
        """Whether the application is unchanged, its database unused, and its state resettable."""
        node = get_node(self.app)
        own_extensions = {name for name in self.app.extensions if name.startswith(EXTENSION_KEY)}
        return (
            own_extensions == STATELESS_EXTENSIONS | LIMITER_FACTORIES.keys()
            and _take_snapshot(self.app) == self._snapshot
            and not node.hooks.failures
            and node.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # of a QueuePool
        )

    def release_resources(self) -> None:
        """Close its connections."""
        node = get_node(self.app)
        node.outbound.close()
        node.engine.dispose()

    def reset(self, outbound: OutboundClient) -> None:
        """Reset the state of the node, and use `outbound` from now on."""
        node = get_node(self.app)
        fresh: dict[str, Any] = {
            item.name: item.default_factory()
            for item in fields(Node)
            if item.default_factory is not MISSING
        }
        fresh |= {"outbound": outbound, "jobs": Jobs(node.settings, node.settings.secret_key)}
        for name, value in fresh.items():
            object.__setattr__(node, name, value)  # the dataclass is frozen
        register_jobs(node)
        for name, make_initial in LIMITER_FACTORIES.items():
            self.app.extensions[name] = make_initial()


class AppPool:
    """Idle applications, by the key of what they were created with."""

    def __init__(self) -> None:
        self._idle: OrderedDict[int, tuple[str, PooledApp]] = OrderedDict()

    def acquire(self, pool_key: str) -> PooledApp | None:
        for entry_id, (key, pooled) in reversed(self._idle.items()):
            if key == pool_key:
                del self._idle[entry_id]
                return pooled
        return None

    def release(self, pool_key: str, pooled: PooledApp) -> list[str]:
        """Return an application to the pool. Returns the URLs of databases no longer needed."""
        is_reusable = pooled.is_unchanged
        pooled.release_resources()
        if not is_reusable:
            return [pooled.url]
        self._idle[id(pooled)] = pool_key, pooled
        if len(self._idle) <= MAX_POOLED:
            return []
        _entry_id, (_key, oldest) = self._idle.popitem(last=False)
        return [oldest.url]


def _take_snapshot(app: Flask) -> dict[str, object]:
    """The parts of an application that a test might change."""
    hooks = ("before_request_funcs", "after_request_funcs", "teardown_request_funcs")
    return {
        "config": dict(app.config),
        "wsgi_app": app.wsgi_app,
        "views": dict(app.view_functions),
        "globals": dict(app.jinja_env.globals),
        "extensions": {
            name: id(value)
            for name, value in app.extensions.items()
            if name not in LIMITER_FACTORIES
        },
        **{
            name: {scope: list(functions) for scope, functions in getattr(app, name).items()}
            for name in hooks
        },
    }
