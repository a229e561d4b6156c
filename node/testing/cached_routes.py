"""Caches compiled URL rules: compiling them takes most of the time to create an application."""

from collections.abc import Callable

from werkzeug.routing import Rule


def install() -> None:
    """Use the cache in every application that is created from now on."""
    compile_builder = Rule._compile_builder
    compiled: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}

    def compile_cached(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        # Everything that the result depends on.
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = compile_cached  # type: ignore[method-assign, assignment]
