"""A plugin that raises in whichever hook: the node goes on, and the operator reads one line."""

from collections.abc import Iterable

from node import api
from node.api import Document
from node.plugin_api.hooks import open_plugin_work
from node.projects import service as projects
from node.testing.nodes import Nodes, TestNode

from .conftest import Install
from .test_every_hook import HOOKS

DECLARED = {
    "register_documents": '[DocumentType("OrchardReport", "A report", ())]',
    "register_activities": '["Offer"]',
    "register_facets": '[Facet("ripe", "Ripeness", {"yes": "Ripe"})]',
}
CALLED = [
    name for name in HOOKS if not name.startswith("register_") and name not in {"plugin_details"}
]


def raising(names: Iterable[str]) -> str:
    """Hooks that fail, each with a line of its own, and a second that nobody needs to read."""
    return "\n".join(
        f"@hookimpl\ndef {name}(): raise RuntimeError('{name} rots\\nunder the tree')"
        for name in names
    )


def declaring() -> str:
    return "\n".join(f"@hookimpl\ndef {name}(): return {said}" for name, said in DECLARED.items())


def test_in_every_hook_that_is_asked_once(install: Install, nodes: Nodes) -> None:
    asked = [name for name in HOOKS if name.startswith("register_")]
    install("orchard", raising(asked))
    node = nodes.start("aldermoor", plugins=("orchard", "checklists"))
    said = {failure.hook: failure.error for failure in node.node.hooks.failures}
    assert said == {name: f"RuntimeError: {name} rots" for name in asked}
    assert node.visitor().visit("/checklists").status_code == 200


def test_in_every_hook_that_is_called_when_it_happens(install: Install, nodes: Nodes) -> None:
    install("orchard", declaring() + "\n" + raising(CALLED))
    here, there = nodes.pair(plugins=("orchard",))
    there.follow(here)
    token = here.publish("Cox")
    report = tell(here, there)
    nodes.run_until_idle()
    assert there.visitor().visit("/projects").text.count("Cox") >= 1
    assert here.visitor().visit(f"/projects/{token}").status_code == 200
    assert here.visitor("officer").visit("/desk").status_code == 200
    with here.work() as work, open_plugin_work(work, "orchard") as part:
        assert api.document(part, report).name == "Apples"
        api.withdraw(part, report)
    with here.work() as work:
        projects.delete(work, projects.get_for_update(work.session, token))
        here.node.hooks.call(work, "demo", demo=None)
    nodes.run_until_idle()
    failures = (*here.node.hooks.failures, *there.node.hooks.failures)
    assert {(failure.hook, failure.error) for failure in failures} == {
        (name, f"RuntimeError: {name} rots") for name in CALLED
    }
    assert "Cox" not in there.visitor().visit("/projects").text


def tell(here: TestNode, there: TestNode) -> str:
    """Here publishes a document, and there sends an activity; gives the id of the document."""
    with here.work() as work, open_plugin_work(work, "orchard") as part:
        report = api.publish(part, Document("OrchardReport", "Apples"))
    with there.work() as work, open_plugin_work(work, "orchard") as part:
        api.send_activity(part, "Offer", here.council_uri, {"type": "Note", "content": "Apples"})
    return report.id
