"""The settings of a node, typed and documented, from a file and the environment.

The file is TOML: `moothall.toml` in the working directory, or the path in `MOOTHALL_CONFIG`. An
environment variable `MOOTHALL_<KEY>` takes precedence over the file. An unknown key is an error, so
that misspellings are noticed.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from node import review_schedule
from node.errors import SettingsError
from node.settings_validation import (
    ALLOWED_RANGES,
    DATABASE_SCHEMES,
    check_base_url,
    check_date,
    check_mail,
    check_proxy,
    check_secret,
    is_authority,
    is_database_url,
)

ENVIRONMENT_PREFIX = "MOOTHALL_"
CONFIG_VARIABLE = "MOOTHALL_CONFIG"
# Input of commands that cannot prompt. These are not settings, despite the prefix.
PASSWORD_VARIABLE = "MOOTHALL_PASSWORD"  # noqa: S105 -- a name
PASSPHRASE_VARIABLE = "MOOTHALL_BACKUP_PASSPHRASE"  # noqa: S105
NON_SETTING_VARIABLES = frozenset({CONFIG_VARIABLE, PASSWORD_VARIABLE, PASSPHRASE_VARIABLE})
DEFAULT_FILE = "moothall.toml"
NUMBER = re.compile(r"[0-9]{1,9}")
JOB_ENGINE_SCHEMES = ("postgresql://", "redis://", "rediss://")

FederationMode = Literal["allow-list", "open"]
PublishTo = Literal["nobody", "peers", "everybody"]
LogFormat = Literal["console", "json"]
Language = Literal["en", "cy"]
ContentLicence = Literal["OGL-UK-3.0", "CC-BY-4.0", "CC0-1.0"]
MailBackend = Literal["console", "smtp", "notify"]
MailSecurity = Literal["starttls", "tls", "none"]


def _setting(default: object, about: str) -> Any:  # Any, as the type checker expects the field's
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True)
class Settings:
    """The settings. `metadata["about"]` of each field is its text in docs/operator/settings.md."""

    base_url: str = _setting(
        "http://localhost:5100",
        "The public address of the server, without a path. Every ActivityPub id starts with it,"
        " so it cannot be changed later.",
    )
    data_dir: Path = _setting(
        Path("moothall-data"), "The folder for the SQLite files and the secret key."
    )
    database_url: str = _setting(
        "",
        "The address of a PostgreSQL database (postgresql+psycopg://…) or a SQLite file"
        " (sqlite:///…, a relative path starts in the data folder). Empty: `moothall.db` there.",
    )
    jobs: str = _setting(
        "inside",
        "The engine for background jobs. `inside`: SQLite, and `moothall serve` runs the jobs"
        " itself. A postgresql:// or redis:// address: `moothall worker` runs the jobs, on as"
        " many machines as you need.",
    )
    secret_key: str = _setting(
        "",
        "Signs sessions and forms. Use at least 32 bytes, such as `openssl rand -hex 32` prints,"
        " and the same key on every machine. Empty: a key is created at the first start and kept"
        " in the data folder.",
    )
    listen: str = _setting(
        "",
        "The host:port to listen on. Empty: localhost and the port of the public address, or 5100"
        " if it has none.",
    )
    threads: int = _setting(16, "How many web requests are answered at the same time.")
    trusted_proxy: str = _setting(
        "",
        "The IP address that the reverse proxy connects from. Only this address is trusted to set"
        " X-Forwarded-For and X-Forwarded-Proto. Give one address, not a network or a name.",
    )
    handle_domain: str = _setting(
        "",
        "The domain in the names of the council, its projects and its officers, such as"
        " council.gov.uk for `@council@council.gov.uk`, if that is not the server’s own. The"
        " website there must forward requests for `/.well-known/webfinger` to this server.",
    )
    federation: FederationMode = _setting(
        "allow-list",
        "`allow-list`: exchange data only with allowed servers. `open`: exchange data with every"
        " server that is not blocked.",
    )
    publish_peers: PublishTo = _setting(
        "nobody",
        "Who can read, at `/peers.csv` and `/peers.json`, which servers this server exchanges"
        " data with, so that others can find them: `nobody`, `peers` (allowed servers) or"
        " `everybody`.",
    )
    publish_blocks: PublishTo = _setting(
        "nobody",
        "Who can read, at the same addresses, which servers this server blocks and why, so that"
        " others can subscribe to the list: `nobody`, `peers` or `everybody`.",
    )
    private_hosts: tuple[str, ...] = _setting(
        (),
        "Other servers that may use plain http and a private address, as host:port pairs"
        " separated by commas. The port of a server at an ordinary https address is 443, as in"
        " `moothall.internal:443`. List each host by name: a domain does not include its"
        " subdomains. For tests and demonstrations only. Addresses that officers enter (webhooks,"
        " imports) never lead to these hosts.",
    )
    ca_file: str = _setting(
        "", "A file of certificate authorities to trust in addition to the usual ones."
    )
    delivery_threads: int = _setting(64, "How many deliveries one worker sends at the same time.")
    lease_seconds: int = _setting(
        60,
        "After how many seconds the work of a worker that disappeared is restarted. At least 30.",
    )
    compare_hours: int = _setting(
        6,
        "After how many hours this server’s copy of another council’s projects is compared again"
        " with the council’s own server.",
    )
    most_waiting: int = _setting(
        5_000,
        "How many messages from one server can wait to be processed. Above that, the other server"
        " is asked to send them later.",
    )
    inbox_days: int = _setting(
        14,
        "For how many days processed messages are kept, so none is processed twice. At least 14.",
    )
    most_handled: int = _setting(100_000, "The maximum number of processed messages that are kept.")
    most_actors: int = _setting(
        10_000,
        "The maximum number of other servers’ actors that are kept although no one here follows"
        " them and nothing here belongs to them.",
    )
    review_weeks: tuple[str, ...] = _setting(
        ("concept:13", "discovery:9", "alpha:9", "beta:13", "live:26"),
        "After how many weeks a project is due for review, by phase: `phase:weeks` pairs,"
        " separated by commas. A phase that is left out needs no review.",
    )
    nudge_weeks: tuple[str, ...] = _setting(
        ("1", "2", "4"),
        "How many weeks after the review date the owner of a project is reminded, separated by"
        " commas.",
    )
    stale_weeks: int = _setting(
        4, "How many weeks after its review date a project is shown as out of date."
    )
    escalate_weeks: int = _setting(
        6, "How many weeks after the review date of a project the coordinators are notified."
    )
    archive_weeks: int = _setting(
        26,
        "How many weeks after its review date a project is archived. People can still read it,"
        " and it can be restored.",
    )
    review_before_publishing: Literal["off", "on"] = _setting(
        "off", "Whether someone other than its writer must review a draft before it is published."
    )
    silent_days: int = _setting(
        28,
        "After how many days without contact from another council’s server its projects are shown"
        " as possibly out of date.",
    )
    language: Language = _setting(
        "en",
        "The language of the pages for visitors who have not chosen one with the switch on each"
        " page. `cy`: Welsh, whatever the browser asks for. `en`: Welsh if the browser asks for"
        " Welsh, otherwise English.",
    )
    content_licence: ContentLicence = _setting(
        "OGL-UK-3.0",
        "The licence of the texts of the council’s public projects and updates, as an SPDX"
        " identifier: `OGL-UK-3.0`, `CC-BY-4.0` or `CC0-1.0`. Pages, feeds and exports name it.",
    )
    plugins: tuple[str, ...] = _setting(
        ("checklists",),
        "The names of the plugins that are switched on, separated by commas. Once an operator"
        " switches a plugin on or off (`moothall plugin enable`, `moothall plugin disable`), that"
        " decision applies instead.",
    )
    session_idle_hours: int = _setting(
        12, "After how many hours without opening a page a person must sign in again."
    )
    session_days: int = _setting(
        7, "After how many days a person must sign in again, however active they are."
    )
    mail: MailBackend = _setting(
        "console",
        "How emails are sent: `console` only prints them, `smtp` sends them through a mail"
        " server, `notify` through GOV.UK Notify.",
    )
    mail_from: str = _setting(
        "",
        "The address that emails are sent from, such as moothall@example.gov.uk. Required with"
        " `smtp`. With `notify`, set it in GOV.UK Notify.",
    )
    smtp_host: str = _setting("localhost", "The mail server.")
    smtp_port: int = _setting(587, "The port of the mail server.")
    smtp_security: MailSecurity = _setting(
        "starttls",
        "How the connection to the mail server is encrypted: `starttls` (port 587), `tls` from"
        " the first byte (port 465), or `none`, for a mail server on the same machine.",
    )
    smtp_user: str = _setting(
        "", "The user name for the mail server. Empty: sign in to the mail server without one."
    )
    smtp_password: str = _setting("", "The password for the mail server.")
    notify_key: str = _setting("", "The API key of GOV.UK Notify.")
    notify_template: str = _setting(
        "",
        "The id of an email template in GOV.UK Notify whose subject is ((subject)) and whose text"
        " is ((body)).",
    )
    notify_url: str = _setting(
        "https://api.notifications.service.gov.uk", "The address of GOV.UK Notify, without a path."
    )
    accessibility_contact: str = _setting(
        "",
        "The email address or telephone number, in the accessibility statement, for people who"
        " cannot use a page.",
    )
    accessibility_known: tuple[str, ...] = _setting(
        (),
        "The known accessibility problems, one sentence each, for the accessibility statement. In"
        " the environment they are separated by commas, so it is better to set them in the file.",
    )
    accessibility_reviewed: str = _setting(
        "",
        "The date on which the known accessibility problems were last reviewed, such as"
        " 2026-11-26.",
    )
    log_format: LogFormat = _setting("console", "`console` for people, `json` for software.")
    log_level: str = _setting(
        "INFO", "The least severe level that is logged: DEBUG, INFO, WARNING or ERROR."
    )

    @property
    def review_schedule(self) -> review_schedule.ReviewSchedule:
        """When projects are to be reviewed."""
        return review_schedule.ReviewSchedule(
            review_schedule.parse_intervals(self.review_weeks),
            review_schedule.parse_nudge_weeks(self.nudge_weeks),
            self.stale_weeks,
            self.escalate_weeks,
            self.archive_weeks,
        )

    @property
    def authority(self) -> str:
        """`host` or `host:port` of the public address, as in a Host header."""
        return urlsplit(self.base_url).netloc

    @property
    def handle_host(self) -> str:
        """The part after the second `@` of our actors' handles (`@name@host`)."""
        return self.handle_domain or self.authority

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    def cookie_name(self, name: str) -> str:
        """The full name of a cookie. It contains the port, since browsers share cookies between the
        ports of a host, and two nodes must not.
        """
        port = urlsplit(self.base_url).port
        return f"moothall_{name}_{port}" if port else f"moothall_{name}"

    @property
    def sqlalchemy_url(self) -> str:
        """The SQLAlchemy URL of the database. A relative path is relative to the data folder."""
        return self.database_url or "sqlite:///moothall.db"

    @property
    def listen_address(self) -> str:
        """`host:port` that the web server listens on."""
        return self.listen or f"localhost:{urlsplit(self.base_url).port or 5100}"


def load(environment: Mapping[str, str] | None = None, path: Path | None = None) -> Settings:
    """The settings of this process.

    Raises `SettingsError` for an unreadable file, an unknown key or an invalid value.
    """
    environment = os.environ if environment is None else environment
    is_required = environment.get(CONFIG_VARIABLE)
    path = path or settings_path(environment)
    values = _read_file(path) if is_required or path.exists() else {}
    values |= _read_environment(environment)
    settings = Settings(**values)
    _validate(settings)
    return settings


def settings_path(environment: Mapping[str, str] = os.environ) -> Path:
    """The path of the settings file, whether it exists or not."""
    return Path(environment.get(CONFIG_VARIABLE) or DEFAULT_FILE)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read: {error.strerror}."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.") from error
    known = {item.name: item for item in fields(Settings)}
    for key in document:
        if key not in known:
            raise SettingsError(f"The settings file {path} has an unknown key: {key}.")
    return {
        key: _parse_value(known[key], value, f"{key} in {path}") for key, value in document.items()
    }


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    known = {ENVIRONMENT_PREFIX + item.name.upper(): item for item in fields(Settings)}
    values: dict[str, Any] = {}
    for name, value in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX) or name in NON_SETTING_VARIABLES:
            continue
        if name not in known:
            raise SettingsError(f"There is no setting {name}.")
        values[known[name].name] = _parse_value(known[name], value, name)
    return values


def _parse_value(item: "Field[Any]", value: object, where: str) -> object:
    """Convert `value`, which may be text, to the type of its field. `where` is for the error."""
    kind = item.type
    if kind is int and isinstance(value, str) and NUMBER.fullmatch(value):
        return int(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if get_origin(kind) is tuple:
        parts = value.split(",") if isinstance(value, str) else value
        if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
            return tuple(part.strip() for part in parts if part.strip())
    if isinstance(value, str):
        choices = get_args(kind)
        if kind is str or value in choices:
            return value
        if kind is Path:
            return Path(value)
        if choices and get_origin(kind) is Literal:
            raise SettingsError(f"{where} must be one of {', '.join(choices)}.")
    raise SettingsError(f"{where} is not valid: {value!r}.")


def _validate(settings: Settings) -> None:
    check_base_url(settings.base_url)
    for name, (least, most) in ALLOWED_RANGES.items():
        if not least <= getattr(settings, name) <= most:
            raise SettingsError(f"{name} must be from {least} to {most}.")
    schedule = settings.review_schedule
    if not schedule.stale_weeks <= schedule.escalate_weeks < schedule.archive_weeks:
        raise SettingsError("stale_weeks, escalate_weeks and archive_weeks must be in that order.")
    if settings.listen and not is_authority(settings.listen, with_port=True):
        raise SettingsError(f"listen must be host:port, such as 0.0.0.0:5100: {settings.listen!r}.")
    if settings.handle_domain and not is_authority(settings.handle_domain):
        raise SettingsError(
            f"handle_domain must be a domain such as council.gov.uk: {settings.handle_domain!r}."
        )
    for host in settings.private_hosts:
        if not is_authority(host):
            raise SettingsError(f"private_hosts must be host:port pairs: {host!r}.")
    if settings.log_level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise SettingsError("log_level must be one of DEBUG, INFO, WARNING, ERROR.")
    check_secret(settings.secret_key)
    check_proxy(settings.trusted_proxy)
    if settings.jobs not in {"inside", "memory"} and not settings.jobs.startswith(
        JOB_ENGINE_SCHEMES
    ):
        raise SettingsError("jobs must be `inside`, or a postgresql:// or redis:// address.")
    check_date("accessibility_reviewed", settings.accessibility_reviewed)
    check_mail(settings.mail, settings.mail_from, settings.notify_key, settings.notify_template)
    if settings.database_url and not is_database_url(settings.database_url):
        raise SettingsError(
            f"database_url must be an address that begins with {' or '.join(DATABASE_SCHEMES)}."
        )
