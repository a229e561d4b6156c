"""Commands that start the node, set it up and check it."""

from http import HTTPStatus
from pathlib import Path

import click
from sqlalchemy import func, select

from federation.errors import FederationError
from federation.vocabulary import parse_json
from federation.webfinger import actor_id_from_jrd, webfinger_url
from node import schema_migrations
from node.app import get_node
from node.backups import service as backups
from node.backups.archive import BackupError
from node.cli.node_context import COMMAND_LINE, open_node, open_work, running_app
from node.cli.passphrases import EXISTING_FILE, get_passphrase
from node.councils import service as councils
from node.councils.first_run import FirstRunInput, set_up
from node.councils.gss_code_claims import find_disputes
from node.errors import MoothallError
from node.federating.identity import local_uris
from node.federating.models import Delivery
from node.federating.outbound import clock
from node.mail.models import Mail
from node.outbound import JRD_MEDIA_TYPES, OutboundError
from node.runtime import Node
from node.settings import PASSWORD_VARIABLE, Settings
from node.web_server import print_addresses, run_worker, serve


@click.command("serve")
def serve_command() -> None:
    """Run the web server, and the background jobs unless the setting `jobs` names an engine."""
    with running_app(runs_node=True) as app:
        serve(app, print_addresses)


@click.command()
def worker() -> None:
    """Run the background jobs, such as deliveries. You can run several workers."""
    with running_app(runs_node=True) as app, app.app_context():
        node = get_node(app)
        if node.settings.jobs == "inside":
            raise MoothallError("With jobs = inside, `moothall serve` runs the jobs itself.")
        run_worker(node, lambda: click.echo("The worker is running"))


@click.command()
@click.option("--name", required=True, help="The council's name.")
@click.option("--slug", required=True, help="Its short name in addresses, such as aldermoor.")
@click.option("--colour", default="", help="Its colour, such as #1d5b4f.")
@click.option("--gss-code", default="", help="Its GSS code, such as E06000037.")
@click.option("--operator-name", required=True, help="The operator's name.")
@click.option("--operator-email", required=True, help="The operator's email address.")
@click.password_option(
    "--operator-password", envvar=PASSWORD_VARIABLE, prompt="Password of the operator"
)
def init(
    name: str,
    slug: str,
    colour: str,
    gss_code: str,
    operator_name: str,
    operator_email: str,
    operator_password: str,
) -> None:
    """Set up the server with its council and its operator, as the first-run page does."""
    with open_work() as work:
        set_up(
            work,
            FirstRunInput(
                name, slug, colour, gss_code, operator_name, operator_email, operator_password
            ),
        )
        council = councils.require_own(work.session)
        click.echo(f"Set up {council.name}, {local_uris.handle(work.settings, council.actor)}")


@click.command()
@click.option(
    "--backup", type=EXISTING_FILE, help="Check whether this backup can be restored instead."
)
def doctor(backup: Path | None) -> None:
    """Check the server. Exits with 1 if a check fails."""
    if backup:
        print_findings([(f"{backup.name} can be restored", _find_backup_problem(backup))])
        return
    with open_node(upgrade=False) as node:
        findings = run_checks(node)
        # The first four: without a database and a council there is nothing to ask about.
        if not any(wrong for _, wrong in findings[:4]):
            findings += check_main_domain(node)
    for words in _list_warnings(node.settings):
        click.echo(f"warn  {words}")
    print_findings(findings)


def _find_backup_problem(backup: Path) -> str:
    try:
        backups.check_backup(backup, get_passphrase(backup))
    except BackupError as error:
        return error.safe_text
    return ""


def print_findings(findings: list[tuple[str, str]]) -> None:
    """Print the result of each check. Exits with 1 if one failed."""
    for question, wrong in findings:
        click.echo(f"FAIL  {question}: {wrong}" if wrong else f"ok    {question}")
    if any(wrong for _, wrong in findings):
        raise click.exceptions.Exit(1)


def _list_warnings(settings: Settings) -> list[str]:
    """Settings that work, but are most likely mistakes on a public server."""
    found = []
    if settings.is_https and not settings.trusted_proxy:
        found.append(
            "trusted_proxy is empty: behind a proxy, all visitors seem to come from one address,"
            " and a few wrong passwords stop everyone from signing in"
        )
    if settings.is_https and settings.mail == "console":
        found.append(
            "mail is console: emails are printed, not sent, with links that set a new password"
        )
    return found


def run_checks(node: Node) -> list[tuple[str, str]]:
    """Run the checks. Returns the name of each with its problem, an empty string if it passed."""
    findings = [("the settings are valid", "")]
    try:
        waiting = schema_migrations.list_pending(node.engine, node.hooks)
    except Exception as error:  # noqa: BLE001 -- whatever a broken database raises
        return [
            *findings,
            ("the database responds", f"{type(error).__name__}: {error}".splitlines()[0]),
        ]
    findings.append(("the database responds", ""))
    findings.append(
        ("the database is migrated", f"{len(waiting)} migrations missing" if waiting else "")
    )
    if waiting:
        return findings
    with node.reading() as session:
        council = councils.get_own(session)
        findings.append(
            (
                "the council is set up",
                "" if council else "run `moothall init`, or open the first-run page",
            )
        )
        overdue = select(func.count()).where(Delivery.state == "pending", Delivery.attempts > 0)
        failed = session.scalar(select(func.count()).where(Delivery.state == "failed")) or 0
        retrying = session.scalar(overdue) or 0
        refused = session.scalar(select(func.count()).where(Mail.state == "failed")) or 0
        claimed = "; ".join(f"{each.code}: {each.named}" for each in find_disputes(session))
        clock_check = clock.check_clock(session)
    findings.append(("the clock is correct", clock_check.message if clock_check.is_wrong else ""))
    findings.append(
        (
            "no deliveries have failed",
            f"{failed} failed, {retrying} being retried" if failed else "",
        )
    )
    findings.append(("no emails have failed", f"{refused} failed" if refused else ""))
    findings.append(("no GSS code is claimed by two councils", claimed))
    return [*findings, *check_plugins(node)]


def check_main_domain(node: Node) -> list[tuple[str, str]]:
    """Check that other servers can find the council at `handle_domain`, if one is set. The node
    must be running.
    """
    if not node.settings.handle_domain:
        return []
    with node.reading() as session:
        council = councils.get_own(session)
        actor = (council.actor.username or "", council.actor.uri) if council else None
    if actor is None:
        return []
    found_at = f"@{actor[0]}@{node.settings.handle_domain} can be found"
    return [(found_at, _find_domain_problem(node, *actor))]


def _find_domain_problem(node: Node, username: str, uri: str) -> str:
    """The problem with the main domain's WebFinger response for our council; empty if none. Uses
    the network, so call it outside transactions.
    """
    domain = node.settings.handle_domain
    plain_http = domain in node.settings.private_hosts and not node.settings.is_https
    try:
        url = webfinger_url(username, domain, plain_http=plain_http)
        answer = node.outbound.get(url, accept=JRD_MEDIA_TYPES[0], content_types=JRD_MEDIA_TYPES)
        if answer.status != HTTPStatus.OK:
            return f"{url} returned the status {answer.status}"
        known = actor_id_from_jrd(parse_json(answer.body), username, domain)
    except (OutboundError, FederationError) as error:
        return f"{url}: {error}"
    return "" if known == uri else f"{url} returned another actor, not {uri}"


def check_plugins(node: Node) -> list[tuple[str, str]]:
    """Check that enabled plugins can be used, and run their own checks."""
    findings = [(f"the plugin {item.name} can be used", "") for item in node.hooks.details]
    findings += [
        (f"the plugin {item.name} can be used", item.reason) for item in node.hooks.skipped
    ]
    for plugin, check in node.hooks.list_registered("register_checks"):
        with node.work(by=COMMAND_LINE) as work:
            answer, error = node.hooks.run(work, plugin, "register_checks", check.run)
        findings.append((f"{plugin}: {check.question}", error or str(answer or "")))
    return findings


COMMANDS = (serve_command, worker, init, doctor)
