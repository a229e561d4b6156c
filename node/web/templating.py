"""Configures Jinja: template loading, filters and globals, and errors for undefined names."""

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
from node.federating.identity import local_uris
from node.federating.models import Actor
from node.languages import translate
from node.request import current_node
from node.web import fields, time_formats
from node.web.layout import LayoutContext
from node.web.theme import brand_colour

GOVUK_TEMPLATES = str(Path(govuk_frontend_jinja.__path__[0]))
JINJA_PACKAGE = str(Path(jinja2.__path__[0]))


class StrictTemplateUndefined(Undefined):
    """Raises for an undefined name in our templates, but not in those of the GOV.UK library.

    The GOV.UK macros read optional parameters, check for a caller, and use names that they never
    set.
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
    """The path of the template that is being rendered."""
    frame = inspect.currentframe()
    while frame and frame.f_code.co_filename.startswith((__file__, JINJA_PACKAGE)):
        frame = frame.f_back
    return frame.f_code.co_filename if frame else ""


class SharedGlobalsEnvironment(Environment):
    """An environment whose templates share one dictionary of globals. None of our templates has
    globals of its own, and the second look-up took a third of the time of a page with many macros.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return self.globals if d is None else super().make_globals(d)


class TemplateBytecodeCache(FileSystemBytecodeCache):
    """A bytecode cache in files that ignores I/O errors, such as those of a full disk."""

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def register(app: Flask, site: Callable[[], LayoutContext]) -> None:
    """Configure the templates of `app`. `site` is called once per request for the layout's data."""
    environment = app.jinja_env
    environment.undefined = StrictTemplateUndefined
    macros = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    # First, so that no library or plugin can replace our templates.
    shared = PackageLoader("node.web")
    environment.loader = ChoiceLoader([shared, macros, app.create_global_jinja_loader()])
    environment.add_extension("jinja2.ext.do")
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(
        breakable=allow_line_breaks,
        mailto=mailto_url,
        handle=format_handle,
        day=time_formats.format_day,
        calendar_day=time_formats.format_plain_date,
        moment=time_formats.format_relative,
        exact_moment=time_formats.format_exact,
        translate=translate,
        written_in=lang_attributes,
    )
    environment.globals.update(
        brand=brand_colour,
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


def mailto_url(address: str) -> str:
    """A mailto link (RFC 6068). `address` is quoted, so that it cannot add headers."""
    return f"mailto:{quote(address, safe='@')}"


def lang_attributes(language: str | None) -> Markup:
    """The attributes `lang`, if the language is known, and `dir` of an element with text that
    people wrote.
    """
    direction = Markup('dir="auto"')
    return Markup('lang="{}" {}').format(language, direction) if language else direction


def allow_line_breaks(text: str) -> Markup:
    """Allow line breaks in an address, before each dot, slash and at sign except the first."""
    return Markup("<wbr>").join(re.split(r"(?<=[^./@])(?=[./@])", text))


def format_handle(actor: Actor) -> str:
    """The handle of an actor, `@name@host`."""
    return local_uris.handle(current_node().settings, actor)


def referring_page(*endpoints: str) -> str:
    """The address of the page that the visitor comes from, with its query, if it is one of
    `endpoints`; otherwise empty. Browsers send the referrer (`Referrer-Policy: same-origin`).
    """
    referrer = request.referrer or ""
    if not same_origin(referrer, current_node().settings.base_url):
        return ""
    page, routes = urlsplit(referrer), current_app.create_url_adapter(request)
    try:
        endpoint, values = routes.match(page.path, method="GET") if routes else ("", {})
    except HTTPException:
        return ""
    if endpoint not in endpoints:
        return ""
    return url_for(endpoint, **values) + (f"?{page.query}" if page.query else "")


def current_page_with(**changes: Any) -> str:
    """The address of this page with some query parameters changed; None removes one."""
    unchanged = [
        (name, value) for name, value in request.args.items(multi=True) if name not in changes
    ]
    changed = [(name, value) for name, value in changes.items() if value is not None]
    # Not by `url_for`, which gives some parameter names, such as `_external`, a meaning.
    query = urlencode([*unchanged, *changed])
    page = url_for(request.endpoint or "", **(request.view_args or {}))
    return f"{page}?{query}" if query else page
