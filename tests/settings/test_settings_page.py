"""The operator's page of settings lists every one of them, as they are."""

import re
from dataclasses import fields
from pathlib import Path

from node import settings
from node.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "operator" / "settings.md"
# | `key` | `default, as it stands in the file` | what it is |
ROW = re.compile(r"\| `(\w+)` \| `(.+?)` \| (.+) \|")


def rows() -> list[re.Match[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return [found for line in lines if (found := ROW.fullmatch(line))]


def test_every_setting_is_on_the_page_and_no_other() -> None:
    assert [row[1] for row in rows()] == [item.name for item in fields(Settings)]


def test_the_defaults_on_the_page_are_the_true_ones(tmp_path: Path) -> None:
    file = tmp_path / "moothall.toml"
    file.write_text("".join(f"{row[1]} = {row[2]}\n" for row in rows()))
    assert settings.load({}, file) == Settings()


def test_the_page_says_what_the_code_says() -> None:
    told = {row[1]: row[3] for row in rows()}
    assert told == {item.name: item.metadata["about"] for item in fields(Settings)}
