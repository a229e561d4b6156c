"""Routes that are compiled once in this process, and not anew for each application: that takes
longer than all else that makes one.
"""

from collections.abc import Callable

from werkzeug.routing import Rule


def install() -> None:
    """For every application that is made from now on."""
    compile_builder = Rule._compile_builder
    compiled: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}

    def once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        # All that it depends on.
        what = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if what not in compiled:
            compiled[what] = compile_builder(rule, append_unknown)
        return compiled[what]

    Rule._compile_builder = once  # type: ignore[method-assign, assignment]
