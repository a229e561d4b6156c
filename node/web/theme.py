"""The theme: a stylesheet of GOV.UK Frontend's colour properties, from the council's own colour.

Text has the contrast that WCAG 2.2 requires in success criterion 1.4.3: at least 4.5 to 1.
"""

import re

DEFAULT_COLOUR = "#1d5b4f"
TEXT_CONTRAST = 4.5
# Higher for links, since colour distinguishes them from the text around them.
LINK_CONTRAST = 5.5

Rgb = tuple[int, int, int]
BLACK: Rgb = (0, 0, 0)
WHITE: Rgb = (255, 255, 255)
HEX_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


def build_stylesheet(colour: str) -> str:
    """The stylesheet for a council's colour, `#rrggbb`; for the default colour if it is invalid."""
    own = _parse_hex(normalise_colour(colour))
    surface = _mix_colours(own, WHITE, 0.95)
    brand = darken_for_contrast(own, WHITE, TEXT_CONTRAST)
    link = darken_for_contrast(own, surface, LINK_CONTRAST)
    properties = {
        "brand-colour": brand,
        "link-colour": link,
        "link-hover-colour": _mix_colours(link, BLACK, 0.4),
        "surface-background-colour": surface,
        "surface-border-colour": _mix_colours(own, WHITE, 0.6),
        "template-background-colour": surface,
    }
    lines = "".join(f"  --govuk-{name}: {_to_hex(value)};\n" for name, value in properties.items())
    return f":root {{\n{lines}}}\n"


def brand_colour(colour: str) -> str:
    """The council's colour as `#rrggbb`, darkened until white text on it is readable."""
    own = _parse_hex(normalise_colour(colour))
    return _to_hex(darken_for_contrast(own, WHITE, TEXT_CONTRAST))


def normalise_colour(colour: str) -> str:
    """`colour` in lower case if it is valid (`#rrggbb`), else the default colour."""
    return colour.lower() if HEX_COLOUR.fullmatch(colour) else DEFAULT_COLOUR


def darken_for_contrast(colour: Rgb, background: Rgb, ratio: float) -> Rgb:
    """`colour`, mixed with as little black as its contrast with `background` needs for `ratio`."""
    for percent in range(100):
        darker = _mix_colours(colour, BLACK, percent / 100)
        if contrast_ratio(darker, background) >= ratio:
            return darker
    return BLACK


def contrast_ratio(colour: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    darker, lighter = sorted((_relative_luminance(colour), _relative_luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _relative_luminance(colour: Rgb) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, definition of relative luminance)."""
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix_colours(colour: Rgb, other: Rgb, share: float) -> Rgb:
    """`colour` with `share` (0 to 1) of `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _parse_hex(colour: str) -> Rgb:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _to_hex(colour: Rgb) -> str:
    return "#" + bytes(colour).hex()
