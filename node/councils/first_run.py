"""First set-up of a node: its council and its first operator."""

from dataclasses import dataclass

from node.access.permissions import OPERATOR
from node.councils import service
from node.errors import InvalidInputError
from node.messages import Message, msg
from node.people import service as people
from node.people.models import User
from node.runtime import UnitOfWork


@dataclass(frozen=True)
class FirstRunInput:
    """The fields of the set-up form. `colour` (#rrggbb) and `gss_code` may be empty."""

    name: str
    slug: str
    colour: str
    gss_code: str
    person_name: str
    email: str
    password: str


def set_up(work: UnitOfWork, data: FirstRunInput) -> User:
    """Create the council and its operator in one transaction. Returns the operator.

    Raises `InvalidInputError` with all invalid fields.
    """
    field_errors: dict[str, Message] = {}
    operator = None
    # First, since it hashes the password before the write transaction begins.
    try:
        operator = people.create(
            work,
            name=data.person_name,
            email=data.email,
            password=data.password,
            role=OPERATOR,
        )
    except InvalidInputError as error:
        field_errors |= error.fields
    try:
        service.create_own(
            work, name=data.name, slug=data.slug, colour=data.colour, gss_code=data.gss_code
        )
    except InvalidInputError as error:
        field_errors |= error.fields
    if field_errors or operator is None:
        raise InvalidInputError(msg("The server could not be set up."), field_errors)
    return operator
