"""Downloads GOV.UK Frontend with npm and removes the parts that councils must not use.

Services outside service.gov.uk may use the components, but not the typeface, the GOV.UK header or
the royal arms. Those are removed here and never reach the repository. For maintainers, with npm:
`python -m node.web.vendor_assets`.
"""

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

GOVUK_FRONTEND_VERSION = "6.6.0"
PACKAGE_SHA256 = "52c4eb554e54d8a6e4ba801e9da5ec3a5b930fd2f117a39677f0b6296e954751"
TARGET_FOLDER = Path(__file__).parent / "static" / "govuk-frontend"

TYPEFACE = re.compile(r"\bGDS Transport,\s*")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SOURCE_MAP = re.compile(r"//# sourceMappingURL=\S+\s*$")
# Components that only GOV.UK may use.
RESERVED_SELECTORS = re.compile(r"\.govuk-(header|logo|footer__(crown|copyright-logo))(?![a-z])")
# At-rules whose blocks contain rules, not declarations.
NESTING_AT_RULES = ("@media", "@supports", "@layer")


def main() -> None:
    """Replace the stylesheet and script in `static/govuk-frontend` with those of
    `GOVUK_FRONTEND_VERSION`.
    """
    with tempfile.TemporaryDirectory() as folder:
        package = _fetch_package(Path(folder))
        style = (package / "govuk-frontend.min.css").read_text(encoding="utf-8")
        script = (package / "govuk-frontend.min.js").read_text(encoding="utf-8")
    TARGET_FOLDER.mkdir(parents=True, exist_ok=True)
    (TARGET_FOLDER / "govuk-frontend.min.css").write_text(strip_reserved(style), encoding="utf-8")
    script = SOURCE_MAP.sub("", script).rstrip() + "\n"
    (TARGET_FOLDER / "govuk-frontend.min.js").write_text(script, encoding="utf-8")


def strip_reserved(style: str) -> str:
    """Remove the parts that only GOV.UK may use from the minified stylesheet `style`."""
    style = TYPEFACE.sub("", COMMENT.sub("", style))
    return _filter_rules(style.replace(":arial,", ":arial,helvetica,")) + "\n"


def _filter_rules(style: str) -> str:
    parts = []
    position = 0
    while (opening := style.find("{", position)) != -1:
        closing = _find_closing(style, opening)
        statements, _, prelude = style[position:opening].rpartition(";")
        if statements:
            parts.append(statements + ";")
        block = _filter_rule(prelude.strip(), style[opening + 1 : closing])
        if block:
            parts.append(block)
        position = closing + 1
    return "".join(parts)


def _find_closing(style: str, opening: int) -> int:
    """The index of the brace that closes the one at `opening`. Assumes that no string in the
    stylesheet contains a brace. Raises `ValueError` if it is missing.
    """
    depth = 0
    for index in range(opening, len(style)):
        depth += {"{": 1, "}": -1}.get(style[index], 0)
        if depth == 0:
            return index
    raise ValueError("The stylesheet ends inside a block.")


def _filter_rule(prelude: str, body: str) -> str:
    if prelude.startswith(NESTING_AT_RULES):
        body = _filter_rules(body)
        return f"{prelude}{{{body}}}" if body else ""
    if prelude == "@font-face":
        return ""
    if prelude.startswith("@"):
        return f"{prelude}{{{body}}}"
    selectors = [
        selector for selector in prelude.split(",") if not RESERVED_SELECTORS.search(selector)
    ]
    return f"{','.join(selectors)}{{{body}}}" if selectors else ""


def _fetch_package(folder: Path) -> Path:
    subprocess.run(
        ["npm", "pack", "--silent", f"govuk-frontend@{GOVUK_FRONTEND_VERSION}"],
        cwd=folder,
        check=True,
        stdout=subprocess.PIPE,
    )
    archive = next(folder.glob("*.tgz"))
    if hashlib.sha256(archive.read_bytes()).hexdigest() != PACKAGE_SHA256:
        sys.exit(f"govuk-frontend {GOVUK_FRONTEND_VERSION} is not the archive that was reviewed.")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "package" / "dist" / "govuk"


if __name__ == "__main__":
    main()
