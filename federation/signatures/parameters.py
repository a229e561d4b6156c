"""The parameters of a header: `name="text",other=5` (draft-cavage-12 section 4.1)."""

import re

from federation.signatures.structured_fields import HeaderFieldError

MAX_LEN_HEADER = 8192
PARAMETER = re.compile(r'[ \t]*([A-Za-z][A-Za-z0-9]*)=(?:"([^"\\]*)"|([0-9]{1,15}))[ \t]*(?:,|\Z)')


def parse_parameters(header: str) -> dict[str, str]:
    """Return the parameters by name. Raises `HeaderFieldError`, also for a repeated parameter."""
    if len(header) > MAX_LEN_HEADER:
        raise HeaderFieldError("the header is too long")
    parameters: dict[str, str] = {}
    position = 0
    while position < len(header):
        match = PARAMETER.match(header, position)
        if match is None or match[1] in parameters:
            raise HeaderFieldError(f"unreadable from character {position}")
        parameters[match[1]] = match[2] if match[2] is not None else match[3]
        position = match.end()
    return parameters
