"""The description of a project in a repository, found by the address that people see."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from node.errors import InvalidInputError
from node.importing.limits import MAX_BYTES
from node.messages import msg
from node.outbound import Outbound, OutboundError
from node.outbound.errors import OutboundCode
from node.projects.details import is_web_url

FILE_NAMES = ("publiccode.yml", "publiccode.yaml", "civic.json")
# What servers say that a raw file is.
CONTENT_TYPES = (
    "text/plain",
    "text/yaml",
    "text/x-yaml",
    "application/yaml",
    "application/x-yaml",
    "application/json",
    "application/octet-stream",
    "binary/octet-stream",
)
# Parts of an address after the repository's own: a page of it, such as a folder or a file.
PAGE_SEGMENTS = frozenset({"tree", "blob", "src", "raw", "issues", "wiki", "-"})


def candidate_urls(address: str) -> list[str]:
    """Where the file may be. Raises `InvalidInputError` for what is no web address."""
    text = address.strip().partition("#")[0].partition("?")[0]
    text = text if "://" in text else f"https://{text}"
    if not is_web_url(text) or not urlsplit(text).path.strip("/"):
        raise _invalid_address()
    parts = urlsplit(text)
    path = [part for part in parts.path.split("/") if part]
    host = (parts.hostname or "").removeprefix("www.")
    base = f"{parts.scheme}://{parts.netloc}"
    named = PurePosixPath(path[-1]).suffix in {".yml", ".yaml", ".json"}
    pages = [place for place, part in enumerate(path) if part in PAGE_SEGMENTS and place >= 2]
    if named and (not pages or path[pages[-1]] == "raw" or host == "raw.githubusercontent.com"):
        return [text]
    repository = path[: pages[0]] if pages else path
    repository = [*repository[:-1], repository[-1].removesuffix(".git")]
    wanted: Sequence[str] = FILE_NAMES
    branch = "HEAD"
    if named:
        rest = [part for part in path[pages[0] :] if part not in PAGE_SEGMENTS]
        branch, wanted = rest[0], ("/".join(rest[1:]),)
    whole = "/".join(repository)
    if host == "github.com":
        return [f"https://raw.githubusercontent.com/{whole}/{branch}/{name}" for name in wanted]
    if host == "codeberg.org" and branch == "HEAD":
        return [f"{base}/{whole}/raw/branch/main/{name}" for name in wanted]
    if host in {"bitbucket.org", "codeberg.org"}:
        return [f"{base}/{whole}/raw/{branch}/{name}" for name in wanted]
    # GitLab, and what is made like it, is on hosts of any name.
    return [f"{base}/{whole}/-/raw/{branch}/{name}" for name in wanted]


def fetch_file(outbound: Outbound, address: str) -> tuple[str, bytes]:
    """The name and the content of the file. To be called outside a transaction.

    Raises `InvalidInputError` where there is none.
    """
    for place in candidate_urls(address):
        try:
            answer = outbound.get(place, accept="*/*", content_types=CONTENT_TYPES)
        except OutboundError as error:
            if error.code is OutboundCode.WRONG_CONTENT_TYPE:
                continue
            raise InvalidInputError(
                msg("The file could not be fetched."),
                {
                    "address": msg(
                        "The file could not be fetched. %(why)s", why=error.text_for_officers
                    )
                },
            ) from error
        if answer.status == 200 and len(answer.body) <= MAX_BYTES:
            return PurePosixPath(urlsplit(place).path).name, answer.body
    raise InvalidInputError(
        msg("The file could not be fetched."),
        {"address": msg("There is no publiccode.yml or civic.json at that address")},
    )


def _invalid_address() -> InvalidInputError:
    return InvalidInputError(
        msg("The repository address is not correct."),
        {"address": msg("Enter the address of a repository, like https://github.com/owner/name")},
    )
