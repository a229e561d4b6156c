"""Generates the plugin reference, `docs/plugins/reference.md`, from the docstrings in the code.

Run `./dev run python -m tests.plugins.reference` to write it again.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from node import api
from node.plugin_api.hookspecs import API_VERSION, HookSpecs

PAGE = Path(__file__).parents[2] / "docs" / "plugins" / "reference.md"
# The name of a module before that of a type.
MODULE = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Z~])")
HEAD = f"""# Plugin reference

Version {API_VERSION} of the plugin API. To learn how to write a plugin, start with the
[tutorial](README.md). This page is generated from the docstrings in the code.

A plugin is a module with an entry point in the group `moothall.plugins`. It marks each function
that implements a hook with `node.api.hookimpl`; such a function can leave out arguments that it
does not need. A plugin imports only `node.api`, and its tests import `node.testing`. Hooks receive
frozen objects, never database rows or the request.

If a hook raises an exception, the server rolls back what the hook did, continues, and shows the
operator the error. Hooks whose names start with `register_` are called once, when a process of the
server starts.
"""
TESTS = """
## Tests

Run pytest with `-p node.testing.plugin` to use these fixtures:

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

Each test runs on SQLite, and again on PostgreSQL if it is installed. Tests cannot connect to other
machines.
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
