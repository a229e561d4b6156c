"""Writes the source of a new plugin: a working package with a test."""

from importlib.resources import files
from pathlib import Path

from node.errors import InvalidInputError
from node.messages import msg
from node.plugin_api.loader import MAX_LEN_PLUGIN_NAME, PLUGIN_NAME, installed_plugins

STARTER_PACKAGE = "node.plugin_admin"
# Starter file by target path. `@name@` is replaced by the name of the plugin, also in the texts.
STARTER_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "moothall_@name@/__init__.py": "init.py",
    "moothall_@name@/plugin.py": "plugin.py",
    "moothall_@name@/models.py": "models.py",
    "moothall_@name@/service.py": "service.py",
    "moothall_@name@/views.py": "views.py",
    "moothall_@name@/templates/@name@/index.html": "index.html",
    "moothall_@name@/templates/@name@/write.html": "write.html",
    "moothall_@name@/templates/@name@/section.html": "section.html",
    "moothall_@name@/migrations/0001_notes.py": "migration.py",
    "moothall_@name@/translations/cy/LC_MESSAGES/messages.po": "messages.po",
    "tests/test_@name@.py": "test_plugin.py",
}


def create_plugin(name: str, into: Path) -> list[Path]:
    """Write the plugin `name` to a new folder in `into`. Returns the paths of the files.

    Raises `InvalidInputError` about `name` if it is not a valid name, belongs to an installed
    plugin, or names an existing folder.
    """
    folder = into / name
    if not PLUGIN_NAME.fullmatch(name) or len(name) > MAX_LEN_PLUGIN_NAME:
        problem = msg(
            "Use lowercase letters, numbers and single underscores, starting with a letter"
        )
        raise InvalidInputError(msg("The plugin could not be created."), {"name": problem})
    if name in installed_plugins() or folder.exists():
        problem = msg("A plugin or folder with this name already exists")
        raise InvalidInputError(msg("The plugin could not be created."), {"name": problem})
    starter = files(STARTER_PACKAGE) / "starter"
    paths = []
    for path, source in STARTER_FILES.items():
        target = folder / path.replace("@name@", name)
        text = (starter / f"{source}.txt").read_text(encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        title = name.replace("_", " ").capitalize()
        target.write_text(text.replace("@name@", name).replace("@Name@", title), encoding="utf-8")
        paths.append(target)
    return paths
