"""Commands for API tokens."""

import click

from node.cli.node_context import open_work
from node.people import service as people
from node.rest import service
from node.rest.models import ApiToken, TokenScope


@click.group()
def token() -> None:
    """Manage API tokens."""


@token.command()
@click.argument("email")
@click.option("--name", required=True, help="What the token is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in TokenScope]),
    help="What the token can be used for. Can be repeated.",
)
@click.option(
    "--days",
    type=click.Choice([str(days) for days in service.LIFETIMES_DAYS]),
    default="90",
    show_default=True,
    help="After how many days the token expires.",
)
def create(email: str, name: str, scopes: tuple[str, ...], days: str) -> None:
    """Create a token for a user and print it. It is shown only once. The user gets an email."""
    with open_work() as work:
        user = people.require_by_email(work.session, email)
        _token, secret = service.create_token(work, user, name, scopes, int(days))
        click.echo(secret)


@token.command("list")
@click.argument("email")
def list_tokens(email: str) -> None:
    """List a user's tokens: number, first characters, name, scopes, last use, expiry."""
    with open_work() as work:
        for row in service.list_of_user(work.session, people.require_by_email(work.session, email)):
            used = f"{row.used_at:%Y-%m-%d}" if row.used_at else "never used"
            parts = (
                row.id,
                row.beginning,
                row.name,
                " ".join(row.scopes),
                used,
                _expiry_text(row),
            )
            click.echo("\t".join(map(str, parts)))


def _expiry_text(row: ApiToken) -> str:
    if row.revoked_at:
        return f"revoked {row.revoked_at:%Y-%m-%d}"
    return f"expires {row.expires_at:%Y-%m-%d}"


@token.command()
@click.argument("email")
@click.argument("number", type=int)
def revoke(email: str, number: int) -> None:
    """Revoke a user's token NUMBER."""
    with open_work() as work:
        user = people.require_by_email(work.session, email)
        ended = service.revoke(work, user, number)
        click.echo(f"The token {ended.beginning} has been revoked")


COMMANDS = (token,)
