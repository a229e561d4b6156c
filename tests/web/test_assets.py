"""What only GOV.UK may show is not in the package: its typeface, royal arms and logotype."""

import re
from pathlib import Path

import pytest

from node.web.vendor_assets import strip_reserved

WEB = Path(__file__).parents[2] / "node" / "web"
FORBIDDEN = re.compile(r"crown|crest|GDS Transport|logotype|@font-face", re.IGNORECASE)
FONTS = {".woff", ".woff2", ".ttf", ".otf", ".eot"}
# Names what it takes out; and the licence's line of copyright, which must stay.
EXCEPT = {"vendor_assets.py", "LICENSE.txt", "README.md"}
# It names whose copyright the list of services is, as its licence asks.
ATTRIBUTED = Path("services/templates/services/_list.html")

FILES = [path for path in (WEB / "static").rglob("*") if path.is_file()]
TEXTS = [*FILES, *(WEB.parent.rglob("*.html")), *WEB.glob("*.py")]


def test_there_is_something_to_look_at() -> None:
    names = {path.name for path in FILES}
    assert {"govuk-frontend.min.css", "govuk-frontend.min.js", "LICENSE.txt"} <= names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_is_a_font(path: Path) -> None:
    assert path.suffix not in FONTS


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in TEXTS
        if path.name not in EXCEPT and not path.as_posix().endswith(ATTRIBUTED.as_posix())
    ],
    ids=lambda path: str(path.relative_to(WEB.parent)),
)
def test_no_file_names_what_is_reserved(path: Path) -> None:
    assert not FORBIDDEN.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_fetches_anything_from_elsewhere(path: Path) -> None:
    addresses = re.findall(
        r"""(?:url\(|src=|href=|from\s)["']?(https?:[^"')\s]+)""", path.read_text(encoding="utf-8")
    )
    assert addresses == []


def test_the_licence_stands_beside_the_files() -> None:
    text = (WEB / "static" / "govuk-frontend" / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Permission is hereby granted, free of charge" in text


def test_reserved_parts_are_taken_out_and_the_rest_is_kept() -> None:
    style = (
        '@charset "UTF-8";:root{--a:1}/*! font */'
        "@font-face{font-family:GDS Transport;src:url(/assets/a.woff2)}"
        ".govuk-body,.govuk-header__logotype{font-family:GDS Transport,arial,sans-serif}"
        "@media (min-width:40em){.govuk-footer__crown:before{mask:url(/assets/crest.svg)}}"
        "@media (min-width:40em){.govuk-header{color:red}.govuk-generic-header{color:blue}}"
        "@keyframes turn{0%{top:0}to{top:1px}}.govuk-header-like{top:0}"
    )
    assert strip_reserved(style) == (
        '@charset "UTF-8";:root{--a:1}.govuk-body{font-family:arial,helvetica,sans-serif}'
        "@media (min-width:40em){.govuk-generic-header{color:blue}}"
        "@keyframes turn{0%{top:0}to{top:1px}}\n"
    )


def test_every_rule_of_our_stylesheet_ends() -> None:
    """What follows a rule without an end is a part of it, and has no effect."""
    depth = 0
    for line in (WEB / "static" / "moothall.css").read_text(encoding="utf-8").splitlines():
        is_rule = line.startswith((".", "@", "#")) and line.rstrip().endswith("{")
        assert not (is_rule and depth), f"not ended before {line}"
        depth += line.count("{") - line.count("}")
    assert depth == 0
