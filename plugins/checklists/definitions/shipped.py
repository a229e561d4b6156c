"""Loads the checklists that come with the plugin: one YAML file each, in this folder."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from plugins.checklists.definitions.checklist import Checklist
from plugins.checklists.definitions.parsing import read_file

FOLDER = Path(__file__).parent


@cache
def load_shipped() -> Mapping[str, Checklist]:
    """The shipped checklists by id. Read on first use and then cached."""
    checklists = [read_file(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return {checklist.id: checklist for checklist in checklists}
