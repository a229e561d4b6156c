"""Which plugins are taken, and what is said of those that are not."""

import pytest

from node.errors import SettingsError
from node.plugin_api.hooks import Hooks
from node.settings import Settings

from .conftest import Install


def load(*plugins: str) -> Hooks:
    return Hooks(Settings(plugins=plugins))


def refusal(name: str) -> str:
    """The one line that is said of the plugin `name`, which is left out."""
    hooks = load("checklists", name)
    assert hooks.plugin_names == ("checklists",)
    (left_out,) = hooks.skipped
    assert left_out.name == name
    assert name in left_out.reason
    assert "\n" not in left_out.reason
    return left_out.reason


def stop(name: str) -> str:
    """The one line with which a node does not start because of the plugin `name`."""
    with pytest.raises(SettingsError) as caught:
        load("checklists", name)
    text = caught.value.safe_text
    assert name in text
    assert "\n" not in text
    return text


def test_plugins_are_loaded_in_the_order_of_the_settings(install: Install) -> None:
    install("orchard")
    assert [item.name for item in load("orchard", "checklists").details] == [
        "orchard",
        "checklists",
    ]
    assert [item.name for item in load("checklists", "orchard").details] == [
        "checklists",
        "orchard",
    ]


def test_only_plugins_that_are_switched_on_are_loaded(install: Install) -> None:
    install("orchard", "raise RuntimeError('loaded')")
    assert load().details == ()


def test_a_plugin_named_twice_is_loaded_once() -> None:
    assert len(load("checklists", "checklists").details) == 1


def test_a_plugin_that_is_not_installed_is_refused() -> None:
    assert "not installed" in refusal("nowhere")


@pytest.mark.parametrize("name", ["Orchard", "or__chard", "1orchard", "or-chard"])
def test_a_name_that_cannot_be_a_prefix_is_refused(install: Install, name: str) -> None:
    install(name)
    assert "must have a name" in refusal(name)


def test_a_plugin_that_cannot_be_imported_is_refused(install: Install) -> None:
    install("orchard", "import no_such_thing")
    assert "cannot be loaded: ModuleNotFoundError: No module named 'no_such_thing'" in refusal(
        "orchard"
    )


def test_a_plugin_that_is_not_a_module_is_refused(install: Install) -> None:
    install("orchard", target=":plugin_details")
    assert "must be a module" in refusal("orchard")


def test_plugin_details_are_required(install: Install) -> None:
    install("orchard", head="")
    assert "does not return its details" in refusal("orchard")


def test_plugin_details_of_another_are_refused(install: Install) -> None:
    install("orchard", head=HEAD_OF_ANOTHER)
    assert "the details of another plugin" in refusal("orchard")


def test_a_plugin_for_another_api_version_is_refused_before_its_hooks_are_read(
    install: Install,
) -> None:
    install("orchard", HOOK_OF_THE_FUTURE, api_version=2)
    assert "made for version 2 of the plugin interface, but this server has version 1" in refusal(
        "orchard"
    )


def test_a_hook_that_does_not_exist_stops_the_start(install: Install) -> None:
    install("orchard", HOOK_OF_THE_FUTURE)
    text = stop("orchard")
    assert "project_section" in text
    assert "installed/" not in text


def test_a_hook_with_an_argument_that_does_not_exist_stops_the_start(install: Install) -> None:
    install("orchard", "@hookimpl\ndef project_deleted(projekt): ...")
    assert "projekt" in stop("orchard")


def test_a_table_without_the_plugins_name_is_refused(install: Install) -> None:
    install(
        "meadow",
        """
        from sqlalchemy.orm import Mapped, mapped_column

        class Apple(Base):
            __tablename__ = "fruit__apple"
            id: Mapped[int] = mapped_column(primary_key=True)
        """,
    )
    assert "has a table fruit__apple, whose name does not start with" in refusal("meadow")


WRONG = {
    "register_permissions": ('Permission("projects.edit", "Anything", frozenset())', "orchard."),
    "register_notifications": ('NotificationType("projects.told", "Told")', "orchard."),
    "register_documents": ('DocumentType("Note", "A note", ())', "Note"),
    "register_activities": ('"offer"', "offer"),
    "register_facets": ('Facet("ripe", "Ripe", {"Yes!": "Yes"})', "Yes!"),
    "register_settings": ('Setting("How many", "How many", 1)', "How many"),
    "register_jobs": ("'pick'", "ScheduledJob"),
    "register_checks": ("'pick'", "Check"),
    "register_navigation": ("'pick'", "NavigationItem"),
    "register_commands": ("'pick'", "Command"),
}


@pytest.mark.parametrize("hook", WRONG)
def test_what_does_not_fit_a_hook_is_left_out_and_said(install: Install, hook: str) -> None:
    given, says = WRONG[hook]
    install("orchard", f"@hookimpl\ndef {hook}(): return [{given}]")
    hooks = load("orchard")
    assert hooks.list_registered(hook) == []
    (failure,) = hooks.failures
    assert (failure.plugin, failure.hook) == ("orchard", hook)
    assert says in failure.error


HOOK_OF_THE_FUTURE = "@hookimpl\ndef project_section(project): ..."

HEAD_OF_ANOTHER = """
from node.api import PluginDetails

def plugin_details():
    return PluginDetails("checklists", "A label", "1.0", 1, "About it")
"""
