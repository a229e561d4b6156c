"""The checklists that come with the plugin: a YAML file each, in this folder."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from plugins.checklists.definitions.model import Checklist
from plugins.checklists.definitions.parsing import read_file

FOLDER = Path(__file__).parent


@cache
def load_shipped() -> Mapping[str, Checklist]:
    """By id. Read when they are first asked for."""
    found = [read_file(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return {checklist.id: checklist for checklist in found}
