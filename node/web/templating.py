"""Templates: where they are found, what is at hand in them, and that a misspelt name fails."""

import inspect
import re
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import govuk_frontend_jinja
import jinja2
from flask import Flask, current_app, g, request, url_for
from flask.templating import Environment
from jinja2 import (
    ChainableUndefined,
    ChoiceLoader,
    FileSystemBytecodeCache,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    Undefined,
)
from jinja2.bccache import Bucket
from jinja2.utils import missing
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from federation.origin import same_origin
from node.federating import local_uris
from node.federating.models import Actor
from node.languages import translate
from node.request import current_node
from node.web import fields, times
from node.web.layout import LayoutContext
from node.web.theme import brand

GOVUK_TEMPLATES = str(Path(govuk_frontend_jinja.__path__[0]))
JINJA_PACKAGE = str(Path(jinja2.__path__[0]))


class StrictTemplateUndefined(Undefined):
    """Raises for a name that is not there in our templates, but not in those of the library.

    The GOV.UK macros ask their parameters for all they might hold, ask whether they have a caller,
    and use names they never set.
    """

    def __new__(
        cls, hint: str | None = None, obj: Any = missing, name: str | None = None, *args: Any
    ) -> Any:
        lenient = (
            isinstance(obj, Mapping)
            or name == "caller"
            or _current_template().startswith(GOVUK_TEMPLATES)
        )
        return (ChainableUndefined if lenient else StrictUndefined)(hint, obj, name, *args)


def _current_template() -> str:
    """The file of the template that is being rendered."""
    frame = inspect.currentframe()
    while frame and frame.f_code.co_filename.startswith((__file__, JINJA_PACKAGE)):
        frame = frame.f_back
    return frame.f_code.co_filename if frame else ""


class SharedGlobalsEnvironment(Environment):
    """Where all templates have the same globals. No template here has any of its own, and to look
    in two places for each was a third of the time that a page with many macros took.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return self.globals if d is None else super().make_globals(d)


class TemplateBytecodeCache(FileSystemBytecodeCache):
    """Templates as compiled, in files. Where these cannot be read or written, as on a full disk,
    pages are made without.
    """

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def register(app: Flask, site: Callable[[], LayoutContext]) -> None:
    """Set the templates of `app` up. `site` tells what the layout shows, once a request."""
    environment = app.jinja_env
    environment.undefined = StrictTemplateUndefined
    macros = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    # First, so that no library or plugin takes the place of a page of ours.
    house = PackageLoader("node.web")
    environment.loader = ChoiceLoader([house, macros, app.create_global_jinja_loader()])
    environment.add_extension("jinja2.ext.do")
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(
        breakable=breakable,
        mailto=mailto,
        handle=handle,
        day=times.day,
        calendar_day=times.calendar_day,
        moment=times.moment,
        exact_moment=times.exact,
        translate=translate,
        written_in=written_in,
    )
    environment.globals.update(
        brand=brand,
        came_from=referring_page,
        same_page=current_page_with,
        field_params=fields.field_params,
        choice_params=fields.choice_params,
        day_params=fields.day_params,
        kind_of=fields.component_of,
        shown_values=fields.displayed_values,
        error_list=fields.error_list,
    )

    def frame() -> dict[str, LayoutContext]:
        if "site" not in g:
            g.site = site()
        return {"site": g.site}

    app.context_processor(frame)


def mailto(address: str) -> str:
    """The link to write to an email address, and to nobody and about nothing else (RFC 6068)."""
    return f"mailto:{quote(address, safe='@')}"


def written_in(language: str | None) -> Markup:
    """The attributes of an element with text that people wrote: its language, as far as that is
    known, and that it runs from right to left where its first letters do.
    """
    direction = Markup('dir="auto"')
    return Markup('lang="{}" {}').format(language, direction) if language else direction


def breakable(text: str) -> Markup:
    """An address that may break before each dot, slash and at sign but the first."""
    return Markup("<wbr>").join(re.split(r"(?<=[^./@])(?=[./@])", text))


def handle(actor: Actor) -> str:
    """`@name@host`, as people type it."""
    return local_uris.handle(current_node().settings, actor)


def referring_page(*endpoints: str) -> str:
    """The address within this node of the page that a visitor comes from, with its query, if it is
    one of these; otherwise empty. Browsers send it (`Referrer-Policy: same-origin`).
    """
    before = request.referrer or ""
    if not same_origin(before, current_node().settings.base_url):
        return ""
    page, routes = urlsplit(before), current_app.create_url_adapter(request)
    try:
        endpoint, values = routes.match(page.path, method="GET") if routes else ("", {})
    except HTTPException:
        return ""
    if endpoint not in endpoints:
        return ""
    return url_for(endpoint, **values) + (f"?{page.query}" if page.query else "")


def current_page_with(**changes: Any) -> str:
    """The address of this page with other query parameters: None takes one away."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    new = [(name, value) for name, value in changes.items() if value is not None]
    # Not by `url_for`: to that, some names that a visitor may type are words of its own.
    query = urlencode([*kept, *new])
    page = url_for(request.endpoint or "", **(request.view_args or {}))
    return f"{page}?{query}" if query else page
