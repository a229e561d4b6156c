"""How long a person would take: a page of Playwright's that counts keys, pointing and thinking.

The keystroke-level model of Card, Moran and Newell, with the speed of an average typist (40 words
a minute). What to write is known beforehand; each field, and each thing to press, takes a thought.
"""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page

KEY, POINT, THINK = 0.28, 1.1, 1.35
# Until a page is there and one sees what it is: pages of a node take a tenth of that.
RESPONSE = 1.0


@dataclass
class Person:
    """A user with a keyboard and a mouse, and the `seconds` that they have taken."""

    page: Page
    seconds: float = 0.0
    pages: int = 0
    fields: int = 0
    keys: int = 0

    def __str__(self) -> str:
        return (
            f"{self.seconds:.0f} seconds: {self.pages} pages, {self.fields} fields, "
            f"{self.keys} keys"
        )

    def type(self, field: Locator, text: str) -> None:
        """Go to a field and fill it."""
        field.fill(text)
        self._act(field=True)
        self._press(len(text))

    def choose(self, choice: Locator) -> None:
        """Tick a radio button or a box."""
        choice.check()
        self._act(field=True)

    def select(self, field: Locator, label: str) -> None:
        """Open a list and take one of it by its first letters."""
        field.select_option(label=label)
        self._act(field=True)
        self._press(3)

    def press(self, target: Locator) -> None:
        """Click what leads to another page."""
        target.click()
        self._act(field=False)
        self.pages += 1
        self.seconds += RESPONSE

    def _act(self, *, field: bool) -> None:
        self.fields += field
        self.seconds += THINK + POINT + KEY

    def _press(self, keys: int) -> None:
        self.keys += keys
        self.seconds += keys * KEY
