"""Every setting of a node: typed, documented, from one file and the environment.

The file is TOML: `moothall.toml` in the working directory, or the path in `MOOTHALL_CONFIG`. An
environment variable `MOOTHALL_<KEY>` wins over the file. A key that does not exist is refused, so
that a misspelt one is noticed.
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
# What commands ask for where nobody can type: no settings, though they begin like them.
PASSWORD_VARIABLE = "MOOTHALL_PASSWORD"  # noqa: S105 -- a name
PASSPHRASE_VARIABLE = "MOOTHALL_BACKUP_PASSPHRASE"  # noqa: S105
NON_SETTING_VARIABLES = frozenset({CONFIG_VARIABLE, PASSWORD_VARIABLE, PASSPHRASE_VARIABLE})
DEFAULT_FILE = "moothall.toml"
# What numbers may be: nobody has a thousand processors, or waits longer than a day.
ALLOWED_RANGES = {
    "threads": (1, 1000),
    "delivery_threads": (1, 1000),
    "lease_seconds": (30, 86_400),
    "compare_hours": (1, 1000),
    # What others pass on is believed for fourteen days, and must be known again for as long.
    "inbox_days": (14, 3650),
    "stale_weeks": (1, review_schedule.MAX_WEEKS),
    "escalate_weeks": (1, review_schedule.MAX_WEEKS),
    "archive_weeks": (2, review_schedule.MAX_WEEKS),
    "silent_days": (1, 3650),
    "smtp_port": (1, 65_535),
    "session_idle_hours": (1, 720),
    "session_days": (1, 365),
}
NUMBER = re.compile(r"[0-9]{1,9}")
JOB_ENGINE_SCHEMES = ("postgresql://", "redis://", "rediss://")

FederationMode = Literal["allow-list", "open"]
PublishTo = Literal["nobody", "peers", "everybody"]
LogFormat = Literal["console", "json"]
Language = Literal["en", "cy"]
ContentLicence = Literal["OGL-UK-3.0", "CC-BY-4.0", "CC0-1.0"]
MailBackend = Literal["console", "smtp", "notify"]
MailSecurity = Literal["starttls", "tls", "none"]


def _setting(default: object, about: str) -> Any:  # dataclasses.field is typed as what it yields
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True)
class Settings:
    """What a node is told from outside. `metadata["about"]` of each field is its documentation."""

    base_url: str = _setting(
        "http://localhost:5100",
        "The public address of the node, without a path. Every federated id begins with it, so it"
        " cannot change later.",
    )
    data_dir: Path = _setting(
        Path("moothall-data"), "The folder for the SQLite files and the secret key."
    )
    database_url: str = _setting(
        "",
        "A PostgreSQL address (postgresql+psycopg://…), or that of a SQLite file (sqlite:///…),"
        " whose path, if relative, begins in the data folder. Empty: `moothall.db` there.",
    )
    jobs: str = _setting(
        "inside",
        "Where work that happens later waits. `inside`: SQLite, worked off by `moothall serve`"
        " itself. A postgresql:// or redis:// address: worked off by `moothall worker`, on as many"
        " machines as wanted.",
    )
    secret_key: str = _setting(
        "",
        "Signs sessions and forms; the same on every machine: at least 32 bytes, such as `openssl"
        " rand -hex 32` prints. Empty: made once and kept in the data folder.",
    )
    listen: str = _setting(
        "", "host:port to listen on. Empty: localhost and the port of the public address."
    )
    threads: int = _setting(16, "How many web requests are answered at once.")
    trusted_proxy: str = _setting(
        "",
        "The IP address of the reverse proxy, from which it connects, whose X-Forwarded-For and"
        " X-Forwarded-Proto are believed. One address: no network, no name.",
    )
    handle_domain: str = _setting(
        "",
        "The domain in the names by which the council and all others here are found, such as"
        " council.gov.uk for `@council@council.gov.uk`, if that is not the node’s own: its site"
        " sends what is asked at `/.well-known/webfinger` on to the node.",
    )
    federation: FederationMode = _setting(
        "allow-list",
        "`allow-list`: only hosts that an operator allowed. `open`: every host that is not"
        " blocked.",
    )
    publish_peers: PublishTo = _setting(
        "nobody",
        "Who may read at `/peers.csv` and `/peers.json` which servers this node speaks with, so"
        " that others find them: `nobody`, `peers` (servers allowed by name) or `everybody`.",
    )
    publish_blocks: PublishTo = _setting(
        "nobody",
        "Who may read there which servers this node blocks, and why, so that others can subscribe.",
    )
    private_hosts: tuple[str, ...] = _setting(
        (),
        "host:port pairs of other nodes, separated by commas, that may be plain http and on a"
        " private address; for a node at the usual https address the port is 443, as in"
        " `node.internal:443`. Each host is named by itself: a domain does not cover the names"
        " below it. For tests and demonstrations only. Addresses that officers enter (webhooks,"
        " imports) never lead there.",
    )
    ca_file: str = _setting(
        "", "A file of certificate authorities to trust besides the usual ones."
    )
    delivery_threads: int = _setting(64, "How many deliveries one worker sends at once.")
    lease_seconds: int = _setting(
        60,
        "After how many seconds work begun by a worker that vanished is begun again. At least 30.",
    )
    compare_hours: int = _setting(
        6,
        "After how many hours what this node holds of another council is compared again with what"
        " that council has.",
    )
    most_waiting: int = _setting(
        5_000,
        "How many messages of one server may wait to be acted on. Beyond that it is asked to send"
        " them later.",
    )
    inbox_days: int = _setting(
        14,
        "For how many days messages are kept that were acted on, so that none is acted on twice. At"
        " least 14.",
    )
    most_handled: int = _setting(100_000, "How many such messages are kept at most.")
    most_actors: int = _setting(
        10_000,
        "How many actors of other servers are kept whom nobody here follows and who have nothing"
        " here.",
    )
    review_weeks: tuple[str, ...] = _setting(
        ("concept:13", "discovery:9", "alpha:9", "beta:13", "live:26"),
        "After how many weeks a project is to be looked at again, by phase: `phase:weeks` pairs,"
        " with commas between. A phase that is left out needs no review.",
    )
    nudge_weeks: tuple[str, ...] = _setting(
        ("1", "2", "4"),
        "How many weeks after the review of a project fell due its owner is reminded, with commas"
        " between.",
    )
    stale_weeks: int = _setting(
        4, "How many weeks after its review fell due a project is said to be out of date."
    )
    escalate_weeks: int = _setting(
        6, "How many weeks after the review of a project fell due the coordinators hear of it."
    )
    archive_weeks: int = _setting(
        26,
        "How many weeks after its review fell due a project is put in the archive. It stays"
        " readable and can be brought back.",
    )
    review_before_publishing: Literal["off", "on"] = _setting(
        "off", "Whether somebody other than its writer has to read a draft before it is published."
    )
    silent_days: int = _setting(
        28,
        "After how many days of silence of another council's node its projects are said to be"
        " perhaps out of date.",
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
        "The plugins that are switched on, by name, with commas between, until the operator decides"
        " about one of them (`moothall plugin enable`, `moothall plugin disable`).",
    )
    session_idle_hours: int = _setting(
        12, "After how many hours without opening a page somebody has to sign in again."
    )
    session_days: int = _setting(
        7, "After how many days somebody has to sign in again, however busy they are."
    )
    mail: MailBackend = _setting(
        "console",
        "How emails go: `console` only prints them, `smtp` gives them to a mail server, `notify` to"
        " GOV.UK Notify.",
    )
    mail_from: str = _setting(
        "",
        "The address that emails come from, such as moothall@example.gov.uk. Needed for `smtp`;"
        " with `notify`, that is set there.",
    )
    smtp_host: str = _setting("localhost", "The mail server.")
    smtp_port: int = _setting(587, "Its port.")
    smtp_security: MailSecurity = _setting(
        "starttls",
        "How the way to it is kept private: `starttls` (port 587), `tls` from the first byte (port"
        " 465), or `none`, for a mail server on the same machine.",
    )
    smtp_user: str = _setting("", "The name to sign in to it with. Empty: it asks for none.")
    smtp_password: str = _setting("", "The password for that.")
    notify_key: str = _setting("", "The API key of GOV.UK Notify.")
    notify_template: str = _setting(
        "",
        "The id of an email template there, whose subject is ((subject)) and whose text is"
        " ((body)).",
    )
    notify_url: str = _setting(
        "https://api.notifications.service.gov.uk", "Where GOV.UK Notify is, without a path."
    )
    accessibility_contact: str = _setting(
        "",
        "The email address or telephone number for whoever cannot use a page, in the accessibility"
        " statement.",
    )
    accessibility_known: tuple[str, ...] = _setting(
        (),
        "What is known not to work for everybody, a sentence each, in the accessibility statement;"
        " with commas between in the environment, so better in the file.",
    )
    accessibility_reviewed: str = _setting(
        "", "The day on which that was last looked at, such as 2026-11-26."
    )
    log_format: LogFormat = _setting("console", "`console` for people, `json` for machines.")
    log_level: str = _setting(
        "INFO", "The least severe level that is logged: DEBUG, INFO, WARNING or ERROR."
    )

    @property
    def review_schedule(self) -> review_schedule.ReviewSchedule:
        """When projects are to be looked at again."""
        return review_schedule.ReviewSchedule(
            review_schedule.parse_intervals(self.review_weeks),
            review_schedule.parse_nudge_weeks(self.nudge_weeks),
            self.stale_weeks,
            self.escalate_weeks,
            self.archive_weeks,
        )

    @property
    def authority(self) -> str:
        """`host` or `host:port` of the public address, as it stands in a Host header."""
        return urlsplit(self.base_url).netloc

    @property
    def handle_host(self) -> str:
        """What stands behind the second `@` of the names of our actors."""
        return self.handle_domain or self.authority

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    def cookie_name(self, name: str) -> str:
        """What a cookie is called. Cookies ignore ports, and two nodes on one host must not share
        them.
        """
        port = urlsplit(self.base_url).port
        return f"moothall_{name}_{port}" if port else f"moothall_{name}"

    @property
    def sqlalchemy_url(self) -> str:
        """The SQLAlchemy address of the database. A relative path begins in the data folder."""
        return self.database_url or "sqlite:///moothall.db"

    @property
    def listen_address(self) -> str:
        """`host:port` that the web server listens on."""
        return self.listen or f"localhost:{urlsplit(self.base_url).port or 5100}"


def load(environment: Mapping[str, str] | None = None, path: Path | None = None) -> Settings:
    """The settings of this process.

    Raises `SettingsError` for an unreadable file, an unknown key or a value that does not fit.
    """
    environment = os.environ if environment is None else environment
    named = environment.get(CONFIG_VARIABLE)
    path = path or settings_path(environment)
    values = _from_file(path) if named or path.exists() else {}
    values |= _from_environment(environment)
    settings = Settings(**values)
    _validate(settings)
    return settings


def settings_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the settings file is, or would be."""
    return Path(environment.get(CONFIG_VARIABLE) or DEFAULT_FILE)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read: {error.strerror}."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.") from error
    known = {item.name: item for item in fields(Settings)}
    for key in given:
        if key not in known:
            raise SettingsError(f"The settings file {path} has an unknown key: {key}.")
    return {
        key: _parse_value(known[key], value, f"{key} in {path}") for key, value in given.items()
    }


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
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
    """`value` as the type of its field. Text is read too: the environment has nothing else."""
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
    raise SettingsError(f"{where} does not fit: {value!r}.")


def _validate(settings: Settings) -> None:
    check_base_url(settings.base_url)
    for name, (least, most) in ALLOWED_RANGES.items():
        if not least <= getattr(settings, name) <= most:
            raise SettingsError(f"{name} must be from {least} to {most}.")
    timetable = settings.review_schedule
    if not timetable.stale_weeks <= timetable.escalate_weeks < timetable.archive_weeks:
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
