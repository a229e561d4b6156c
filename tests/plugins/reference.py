"""The reference for authors of plugins, made of what the code says: `docs/plugins/reference.md`.

Written anew with `./dev run python -m tests.plugins.reference`.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from node import api
from node.hookspecs import API_VERSION, HookSpecs

PAGE = Path(__file__).parents[2] / "docs" / "plugins" / "reference.md"
# The name of a module before that of a type.
MODULE = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Z~])")
HEAD = f"""# What plugins can use

Version {API_VERSION} of the interface. [README.md](README.md) is a tutorial. This page is made of
what the code says.

A plugin is a module with an entry point in the group `moothall.plugins`. It marks each function
that implements a hook with `node.api.hookimpl`; such a function may leave out arguments that it
does not need. It imports `node.api` and nothing else of the node; its tests use `node.testing`.
What it is given is frozen, and never a row or the request.

A hook that raises is undone by itself: the node goes on, and the operator sees what was raised.
Hooks named `register_…` are called once, when a process of the node starts.
"""
TESTS = """
## Tests

With `-p node.testing.plugin`, pytest has these fixtures:

```python
def test_one_node(nodes):
    here = nodes.start("aldermoor", plugins=("parking",))
    token = here.publish("Parking permits")
    assert here.visitor("officer").visit(f"/projects/{token}").status_code == 200


def test_two_nodes_that_federate(nodes):
    here, there = nodes.pair(plugins=("parking",))
    there.follow(here)
    nodes.run_until_idle()


def test_a_page_in_a_browser(nodes, open_page):
    page = open_page(nodes.start("aldermoor", plugins=("parking",)), "/parking")
    assert page.title().startswith("Parking")
```

Each runs on SQLite, and again on PostgreSQL where that is installed. No test reaches off the
machine.
"""


def render() -> str:
    return "\n".join([HEAD, "## Hooks\n", *_hooks(), "## Types\n", *_types(), *_functions(), TESTS])


def _hooks() -> Iterator[str]:
    for name, hook in vars(HookSpecs).items():
        if not name.startswith("_") and inspect.isfunction(hook):
            signature = re.sub(r"^\(self(, )?", "(", str(inspect.signature(hook)))
            yield f"### `{name}{_short(signature)}`\n\n{inspect.getdoc(hook)}\n"


def _types() -> Iterator[str]:
    for name in api.__all__:
        kind = getattr(api, name)
        if is_dataclass(kind) and isinstance(kind, type):
            lines = "\n".join(_field(item) for item in fields(kind) if item.repr)
            yield f"### `{name}`\n\n{inspect.getdoc(kind)}\n\n```text\n{lines}\n```\n"


def _functions() -> Iterator[str]:
    yield "## Functions\n"
    for name in api.__all__:
        function = getattr(api, name)
        if inspect.isfunction(function):
            signature = _short(str(inspect.signature(function)))
            yield f"### `{name}{signature}`\n\n{inspect.getdoc(function)}\n"


def _field(item: "Field[Any]") -> str:
    default = "" if item.default is MISSING else f" = {item.default!r}"
    kind = item.type
    if not isinstance(kind, str):
        kind = _short(inspect.formatannotation(kind))
    if item.default_factory is not MISSING:
        default = " = {}"
    return f"{item.name}: {kind}{default}"


def _short(text: str) -> str:
    """Types by their last names."""
    text = MODULE.sub("", text)
    return text.replace("''", '""').replace("'", "").replace("~", "")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
