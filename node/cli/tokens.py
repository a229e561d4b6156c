"""Commands about the API tokens of people."""

import click

from node.cli.node_context import open_work
from node.people import service as people
from node.rest import service
from node.rest.models import ApiToken, TokenScope


@click.group()
def token() -> None:
    """The API tokens of the people of this node."""


@token.command()
@click.argument("email")
@click.option("--name", required=True, help="What it is for")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in TokenScope]),
    help="What it may be used for; may be given several times",
)
@click.option(
    "--days",
    type=click.Choice([str(days) for days in service.LIFETIMES_DAYS]),
    default="90",
    show_default=True,
    help="After how many days it ends",
)
def create(email: str, name: str, scopes: tuple[str, ...], days: str) -> None:
    """Make a token for a person and print it, this once. They hear of it by email."""
    with open_work() as work:
        user = people.require_by_email(work.session, email)
        _token, secret = service.create_token(work, user, name, scopes, int(days))
        click.echo(secret)


@token.command("list")
@click.argument("email")
def list_tokens(email: str) -> None:
    """A person's tokens: number, beginning, name, scopes, last use, end."""
    with open_work() as work:
        for each in service.list_of_user(
            work.session, people.require_by_email(work.session, email)
        ):
            used = f"{each.used_at:%Y-%m-%d}" if each.used_at else "never used"
            parts = (
                each.id,
                each.beginning,
                each.name,
                " ".join(each.scopes),
                used,
                _end_text(each),
            )
            click.echo("\t".join(map(str, parts)))


def _end_text(each: ApiToken) -> str:
    if each.revoked_at:
        return f"revoked {each.revoked_at:%Y-%m-%d}"
    return f"ends {each.expires_at:%Y-%m-%d}"


@token.command()
@click.argument("email")
@click.argument("number", type=int)
def revoke(email: str, number: int) -> None:
    """End a person's token by its number."""
    with open_work() as work:
        user = people.require_by_email(work.session, email)
        ended = service.revoke(work, user, number)
        click.echo(f"The token {ended.beginning} no longer lets anybody in")


COMMANDS = (token,)
