"""Setting a node up for the first time: its council, and the operator who looks after it."""

from dataclasses import dataclass

from node.councils import service
from node.errors import InvalidInputError
from node.messages import Message, msg
from node.people import service as people
from node.people.models import User
from node.people.permissions import OPERATOR
from node.runtime import UnitOfWork


@dataclass(frozen=True)
class FirstRunInput:
    """What is asked at the start. `colour` (#rrggbb) and `gss_code` may be empty."""

    name: str
    slug: str
    colour: str
    gss_code: str
    person_name: str
    email: str
    password: str


def set_up(work: UnitOfWork, wanted: FirstRunInput) -> User:
    """All of it or nothing; returns the operator.

    Raises `InvalidInputError` with every field that is wrong.
    """
    wrong: dict[str, Message] = {}
    operator = None
    # First, since it hashes a password before its transaction begins.
    try:
        operator = people.create(
            work,
            name=wanted.person_name,
            email=wanted.email,
            password=wanted.password,
            role=OPERATOR,
        )
    except InvalidInputError as error:
        wrong |= error.fields
    try:
        service.create_own(
            work, name=wanted.name, slug=wanted.slug, colour=wanted.colour, gss_code=wanted.gss_code
        )
    except InvalidInputError as error:
        wrong |= error.fields
    if wrong or operator is None:
        raise InvalidInputError(msg("The server could not be set up."), wrong)
    return operator
