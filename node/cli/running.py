"""Commands that start the node, set it up, and look whether it is well."""

from pathlib import Path

import click
from sqlalchemy import func, select

from node import migrating
from node.app import node_of
from node.backups import service as backups
from node.backups.archive import BackupError
from node.cli.opening import BY, opened, started, working
from node.cli.passphrases import EXISTING_FILE, passphrase_for
from node.councils import service as councils
from node.councils.claims import disputes
from node.councils.founding import Founding, found
from node.errors import MoothallError
from node.federating import addresses, clock
from node.federating.models import Delivery
from node.mail.models import Mail
from node.runtime import Node
from node.serving import say_where, serve, work
from node.settings import PASSWORD_VARIABLE, Settings


@click.command("serve")
def serve_command() -> None:
    """Answer web requests, and do what waits unless `jobs` says that workers do."""
    with started(runs_node=True) as app:
        serve(app, say_where)


@click.command()
def worker() -> None:
    """Do what waits: deliveries, the inbox, and the like. Run as many as wanted."""
    with started(runs_node=True) as app, app.app_context():
        node = node_of(app)
        if node.settings.jobs == "inside":
            raise MoothallError("With jobs = inside, `moothall serve` does this itself.")
        work(node, lambda: click.echo("Working"))


@click.command()
@click.option("--name", required=True, help="Name of the council")
@click.option("--slug", required=True, help="Its short name on other servers, such as aldermoor")
@click.option("--colour", default="", help="Its colour, such as #1d5b4f")
@click.option("--gss-code", default="", help="Its GSS code, such as E06000037")
@click.option("--operator-name", required=True, help="Who looks after the node")
@click.option("--operator-email", required=True)
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
    """Set the node up: its council and its operator. The first-run page does the same."""
    with working() as work:
        found(
            work,
            Founding(
                name, slug, colour, gss_code, operator_name, operator_email, operator_password
            ),
        )
        council = councils.require_own(work.session)
        click.echo(f"{council.name} is {addresses.handle(work.settings, council.actor)}")


@click.command()
@click.option(
    "--backup", type=EXISTING_FILE, help="Check this backup instead: whether it can be restored."
)
def doctor(backup: Path | None) -> None:
    """Check whether the node is well. Exits 1 if something is not."""
    if backup:
        report([(f"{backup.name} can be restored", _what_is_wrong_with(backup))])
        return
    with opened(upgrade=False) as node:
        findings = examine(node)
    for words in _warnings(node.settings):
        click.echo(f"warn  {words}")
    report(findings)


def _what_is_wrong_with(backup: Path) -> str:
    try:
        backups.check(backup, passphrase_for(backup))
    except BackupError as error:
        return error.safe_text
    return ""


def report(findings: list[tuple[str, str]]) -> None:
    """Print each question and what is wrong, if anything is; exit 1 then."""
    for question, wrong in findings:
        click.echo(f"FAIL  {question}: {wrong}" if wrong else f"ok    {question}")
    if any(wrong for _, wrong in findings):
        raise click.exceptions.Exit(1)


def _warnings(settings: Settings) -> list[str]:
    """What works, and is most often a mistake where others reach the node."""
    found = []
    if settings.is_https and not settings.trusted_proxy:
        found.append(
            "trusted_proxy is empty: behind a proxy, all visitors seem to come from one address,"
            " and a few wrong passwords keep everybody from signing in"
        )
    if settings.is_https and settings.mail == "console":
        found.append("mail is console: emails, with links to set a new password, go to the log")
    return found


def examine(node: Node) -> list[tuple[str, str]]:
    """Questions, each with what is wrong; an empty text where nothing is."""
    findings = [("settings fit", "")]
    try:
        waiting = migrating.pending(node.engine, node.hooks)
    except Exception as error:  # noqa: BLE001 -- whatever a broken database raises
        return [
            *findings,
            ("the database answers", f"{type(error).__name__}: {error}".splitlines()[0]),
        ]
    findings.append(("the database answers", ""))
    findings.append(("migrations are at their head", f"{len(waiting)} to do" if waiting else ""))
    if waiting:
        return findings
    with node.reading() as session:
        council = councils.own(session)
        findings.append(("the council is set up", "" if council else "open the first-run page"))
        overdue = select(func.count()).where(Delivery.state == "pending", Delivery.attempts > 0)
        failed = session.scalar(select(func.count()).where(Delivery.state == "failed")) or 0
        retrying = session.scalar(overdue) or 0
        refused = session.scalar(select(func.count()).where(Mail.state == "failed")) or 0
        claimed = "; ".join(f"{each.code}: {each.named}" for each in disputes(session))
        ours = clock.verdict(session)
    findings.append(("the clock is right", ours.words if ours.is_wrong else ""))
    findings.append(
        ("deliveries are answered", f"{failed} failed, {retrying} tried again" if failed else "")
    )
    findings.append(("emails are taken", f"{refused} failed" if refused else ""))
    findings.append(("each GSS code is claimed by one council", claimed))
    return [*findings, *ask_plugins(node)]


def ask_plugins(node: Node) -> list[tuple[str, str]]:
    """Whether those that are switched on can be used, and what they ask themselves."""
    findings = [(f"the plugin {item.name} can be used", "") for item in node.hooks.details]
    findings += [(f"the plugin {item.name} can be used", item.why) for item in node.hooks.left_out]
    for plugin, check in node.hooks.registered("register_checks"):
        with node.work(by=BY) as work:
            answer, error = node.hooks.run(work, plugin, "register_checks", check.look)
        findings.append((f"{plugin}: {check.question}", error or str(answer or "")))
    return findings


COMMANDS = (serve_command, worker, init, doctor)
