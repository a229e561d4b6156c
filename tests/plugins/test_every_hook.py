"""Every hook has a test that bears its name, a real plugin that uses it, and a place in the
reference, which says what the code says.
"""

import re
from inspect import getmembers, isfunction
from pathlib import Path

import pytest

from node.plugin_api.hookspecs import HookSpecs
from node.testing.nodes import Nodes

from . import reference

HOOKS = {name for name, _ in getmembers(HookSpecs, isfunction) if not name.startswith("_")}


def test_every_hook_has_a_test_of_its_name() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    named = re.findall(r"^def test_(\w+)\(", tests, re.MULTILINE)
    assert {hook for hook in HOOKS if not any(hook in name for name in named)} == set()


def test_a_real_plugin_uses_every_hook() -> None:
    plugin = (reference.PAGE.parents[2] / "plugins" / "checklists" / "plugin.py").read_text()
    used = re.findall(r"^@hookimpl\ndef (\w+)\(", plugin, re.MULTILINE)
    assert set(used) == HOOKS


def test_the_reference_says_what_the_code_says() -> None:
    assert reference.PAGE.read_text() == reference.render()


@pytest.mark.parametrize("name", ["one_node", "two_nodes_that_federate", "a_page_in_a_browser"])
def test_the_examples_of_the_test_kit(
    name: str, nodes: Nodes, request: pytest.FixtureRequest
) -> None:
    code = re.findall(r"```python\n(.*?)```", reference.TESTS, re.DOTALL)[0]
    named: dict[str, object] = {}
    exec(code.replace("parking", "checklists").replace("Parking", "Checklists"), named)
    fixtures = [request.getfixturevalue("open_page")] if "browser" in name else []
    named[f"test_{name}"](nodes, *fixtures)  # type: ignore[operator]
