"""Fetches the publiccode.yml or civic.json of a repository, given the address of a page of it."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from node.errors import InvalidInputError
from node.importing.limits import MAX_BYTES
from node.messages import msg
from node.outbound import OutboundClient, OutboundError
from node.outbound.errors import OutboundErrorCode
from node.projects.details import is_web_url

FILE_NAMES = ("publiccode.yml", "publiccode.yaml", "civic.json")
# Content types with which servers send raw files.
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
# Path segments that follow the repository's own path on its pages, such as a folder or file.
PAGE_SEGMENTS = frozenset({"tree", "blob", "src", "raw", "issues", "wiki", "-"})


def candidate_urls(address: str) -> list[str]:
    """URLs at which the file may be, in the order to try. Raises `InvalidInputError` unless
    `address` is a web address with a path.
    """
    text = address.strip().partition("#")[0].partition("?")[0]
    text = text if "://" in text else f"https://{text}"
    if not is_web_url(text) or not urlsplit(text).path.strip("/"):
        raise _invalid_address()
    parts = urlsplit(text)
    path = [part for part in parts.path.split("/") if part]
    host = (parts.hostname or "").removeprefix("www.")
    base = f"{parts.scheme}://{parts.netloc}"
    is_file_url = PurePosixPath(path[-1]).suffix in {".yml", ".yaml", ".json"}
    pages = [index for index, part in enumerate(path) if part in PAGE_SEGMENTS and index >= 2]
    if is_file_url and (
        not pages or path[pages[-1]] == "raw" or host == "raw.githubusercontent.com"
    ):
        return [text]
    repository = path[: pages[0]] if pages else path
    repository = [*repository[:-1], repository[-1].removesuffix(".git")]
    file_names: Sequence[str] = FILE_NAMES
    branch = "HEAD"
    if is_file_url:
        rest = [part for part in path[pages[0] :] if part not in PAGE_SEGMENTS]
        branch, file_names = rest[0], ("/".join(rest[1:]),)
    repository_path = "/".join(repository)
    if host == "github.com":
        return [
            f"https://raw.githubusercontent.com/{repository_path}/{branch}/{name}"
            for name in file_names
        ]
    if host == "codeberg.org" and branch == "HEAD":
        return [f"{base}/{repository_path}/raw/branch/main/{name}" for name in file_names]
    if host in {"bitbucket.org", "codeberg.org"}:
        return [f"{base}/{repository_path}/raw/{branch}/{name}" for name in file_names]
    # Any other host is taken to run GitLab.
    return [f"{base}/{repository_path}/-/raw/{branch}/{name}" for name in file_names]


def fetch_file(outbound: OutboundClient, address: str) -> tuple[str, bytes]:
    """The name and content of the file. Call it outside a transaction, since it uses the network.

    Raises `InvalidInputError` if there is no file or it cannot be fetched.
    """
    for url in candidate_urls(address):
        try:
            response = outbound.get(url, accept="*/*", content_types=CONTENT_TYPES)
        except OutboundError as error:
            if error.code is OutboundErrorCode.WRONG_CONTENT_TYPE:
                continue
            raise InvalidInputError(
                msg("The file could not be fetched."),
                {
                    "address": msg(
                        "The file could not be fetched. %(why)s", why=error.text_for_officers
                    )
                },
            ) from error
        if response.status == 200 and len(response.body) <= MAX_BYTES:
            return PurePosixPath(urlsplit(url).path).name, response.body
    raise InvalidInputError(
        msg("The file could not be fetched."),
        {"address": msg("There is no publiccode.yml or civic.json at that address")},
    )


def _invalid_address() -> InvalidInputError:
    return InvalidInputError(
        msg("The repository address is not correct."),
        {
            "address": msg(
                "Enter the address of a repository, such as https://github.com/owner/name"
            )
        },
    )
