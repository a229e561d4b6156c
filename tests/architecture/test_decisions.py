"""Each decision has a number of its own, by which others name it."""

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"


def test_each_decision_has_its_own_number_and_says_it() -> None:
    files = sorted(FOLDER.glob("*.md"))
    numbers = [file.name[:4] for file in files]
    assert numbers == [f"{number:04}" for number in range(1, len(files) + 1)]
    for number, file in zip(numbers, files, strict=True):
        assert file.read_text().startswith(f"# {number}: ")
