"""Commands for user accounts."""

import click

from node.access.permissions import OFFICER, ROLES
from node.cli.node_context import open_work
from node.officers import service as officers
from node.people import service
from node.people.models import User
from node.settings import PASSWORD_VARIABLE


@click.group()
def user() -> None:
    """Manage user accounts."""


@user.command()
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--role", type=click.Choice(ROLES), default=OFFICER, show_default=True)
@click.password_option(envvar=PASSWORD_VARIABLE)
def add(name: str, email: str, role: str, password: str) -> None:
    """Create an account."""
    with open_work() as work:
        account = service.create(work, name=name, email=email, password=password, role=role)
        click.echo(f"{account.email} can sign in as {role}")


@user.command("list")
def list_users() -> None:
    """List accounts: email, name, roles, and whether the account is deactivated."""
    with open_work() as work:
        for account in service.list_all(work.session):
            roles = ", ".join(sorted(role.name for role in account.roles)) or "no role"
            click.echo(
                "\t".join((account.email, account.name, roles, *_deactivated_column(account)))
            )


def _deactivated_column(account: User) -> tuple[str, ...]:
    return () if account.active else ("deactivated",)


@user.command()
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
def give(email: str, role: str) -> None:
    """Give a user the role ROLE."""
    with open_work() as work:
        account = service.require_by_email(work.session, email)
        service.grant_role(work, account, role)
        click.echo(f"{account.email} now has the role {role}")


@user.command()
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
def take(email: str, role: str) -> None:
    """Take the role ROLE away from a user."""
    with open_work() as work:
        account = service.require_by_email(work.session, email)
        service.remove_role(work, account, role)
        click.echo(f"{account.email} no longer has the role {role}")


@user.command()
@click.argument("email")
def deactivate(email: str) -> None:
    """Deactivate an account. The user's public profile is withdrawn too."""
    with open_work() as work:
        account = service.require_by_email(work.session, email)
        officers.deactivate(work, account)
        click.echo(f"{account.email} can no longer sign in")


COMMANDS = (user,)
