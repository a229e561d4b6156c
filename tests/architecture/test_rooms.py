"""Rooms are complete: each is listed, and each section added to a page is shown there."""

import re
from pathlib import Path

from node.rooms import ROOMS

NODE = Path(__file__).parents[2] / "node"
SLOT = re.compile(r"""slot\("([\w.]+)["]""")


def test_every_slot_is_on_a_page_and_every_section_in_a_slot() -> None:
    templates = NODE.glob("*/templates/**/*.html")
    on_pages = {slot for page in templates for slot in SLOT.findall(page.read_text())}
    assert on_pages == {section.slot for room in ROOMS for section in room.sections}


def test_every_room_is_listed() -> None:
    declared = {path.parent.name for path in NODE.glob("*/room.py")}
    assert declared == {room.name for room in ROOMS}
