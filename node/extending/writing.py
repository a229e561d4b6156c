"""Writing a new plugin: a package that works, with a test."""

from importlib.resources import files
from pathlib import Path

from node.errors import InvalidInputError
from node.loading import LONGEST_NAME, NAME, installed
from node.wording import say

STARTER = "node.extending"
# What is written where. `@name@` stands for the name of the plugin.
WRITTEN = {
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


def write(name: str, into: Path) -> list[Path]:
    """Write the plugin `name` into a new folder in `into`. Returns the files.

    Raises `InvalidInputError` for a name that cannot be one, that an installed plugin has, or whose
    folder is there already.
    """
    folder = into / name
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        wrong = say("Use lowercase letters, numbers and single underscores, starting with a letter")
        raise InvalidInputError(say("The plugin could not be created."), {"name": wrong})
    if name in installed() or folder.exists():
        taken = say("A plugin or folder with this name already exists")
        raise InvalidInputError(say("The plugin could not be created."), {"name": taken})
    starter = files(STARTER) / "starter"
    written = []
    for path, source in WRITTEN.items():
        target = folder / path.replace("@name@", name)
        text = (starter / f"{source}.txt").read_text(encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        shown = name.replace("_", " ").capitalize()
        target.write_text(text.replace("@name@", name).replace("@Name@", shown), encoding="utf-8")
        written.append(target)
    return written
