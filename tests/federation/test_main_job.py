"""The main job: a project of one council arrives at another that follows it, is kept up to date,
and goes.
"""

from node.testing.nodes import Nodes, TestNode


def follow(nodes: Nodes, follower: TestNode, followed: TestNode) -> None:
    visitor = follower.visitor("officer")
    visitor.visit("/councils/follow")
    answer = visitor.submit("follow", address=followed.address)
    assert "Your council has asked to follow" in answer.text
    nodes.run_until_idle()


def publish(one: TestNode, title: str, **more: str) -> str:
    visitor = one.visitor("officer")
    visitor.visit("/projects/new")
    answer = visitor.submit(
        title=title,
        summary="A short sentence.",
        phase="alpha",
        brief="## Why\n\nIt is needed.",
        then="publish",
        **more,
    )
    assert answer.status_code == 200
    return answer.request.path


def test_a_project_arrives_is_updated_and_goes(nodes: Nodes) -> None:
    here, there = nodes.pair()
    follow(nodes, there, here)
    address = publish(here, "Bins in one step")
    reader = there.visitor()
    assert "Bins in one step" not in reader.visit("/projects").text
    nodes.run_until_idle()
    assert "Bins in one step" in reader.visit("/projects").text

    writer = here.visitor("officer")
    writer.visit(f"{address}/edit")
    writer.submit(title="Bins in two steps")
    nodes.run_until_idle()
    assert "Bins in two steps" in reader.visit("/projects").text
    assert "Bins in one step" not in reader.text

    writer.visit(f"{address}/delete")
    writer.submit("delete")
    nodes.run_until_idle()
    assert "Bins in two steps" not in reader.visit("/projects").text
    gone = here.app.test_client().get(address, headers={"Accept": "application/activity+json"})
    assert (gone.status_code, gone.get_json()["type"]) == (410, "Tombstone")


def test_what_was_published_before_arrives_on_following(nodes: Nodes) -> None:
    here, there = nodes.pair()
    publish(here, "Bins in one step")
    nodes.run_until_idle()
    follow(nodes, there, here)
    assert "Bins in one step" in there.visitor().visit("/projects").text
