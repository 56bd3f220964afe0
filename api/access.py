"""Who may call a view: anyone, whoever is signed in, a role; what declares nothing, admins alone.

An ``Endpoint`` says which verbs are for anyone (``anonymous``), and its service decides the rest. A
class or function of an extension says ``access``; a plain RESTX resource says it in its
documentation: ``@ns.doc(security=[])`` is anyone, ``@ns.doc(security="bearer")`` is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from services.actor import ROLES, Actor
from services.errors import Forbidden, Unauthenticated

#: One for all verbs, or by verb: ``{"GET": "anyone", "POST": "author"}``.
Access: TypeAlias = "str | Mapping[str, str]"

ANYONE, SIGNED_IN = "anyone", "signed-in"
UNDECLARED = "admin"
_KNOWN = (ANYONE, SIGNED_IN, *ROLES)

F = TypeVar("F", bound=Callable[..., Any])


def access(who: str) -> Callable[[F], F]:
    """Declare who may call a function of a blueprint."""

    def decorate(function: F) -> F:
        function.access = who  # type: ignore[attr-defined]
        return function

    return decorate


def needed(view: Any, verb: str) -> str:
    """Return who may call ``verb`` of a view: a class, or a function.

    Raises:
        ValueError: what is declared is none of the words there are.
    """
    return _declared(view, verb) or UNDECLARED


def is_declared(view: Any, verb: str) -> bool:
    """Whether it is said who may call ``verb`` of a view."""
    return _declared(view, verb) is not None


def of_plain(view: type[Any]) -> Mapping[str, str] | None:
    """Return what a plain RESTX resource declares by verb, before more documentation is added.

    None: it says so in another way, as resources of ours do.
    """
    if hasattr(view, "access") or hasattr(view, "anonymous"):
        return None
    verbs = getattr(view, "methods", None) or ()
    return {verb: who for verb in verbs if (who := _declared(view, verb)) is not None}


def check(needs: str, actor: Actor | None) -> None:
    """Refuse a caller who may not.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: the role is too low.
    """
    if needs == ANYONE:
        return
    if actor is None:
        raise Unauthenticated()
    if needs != SIGNED_IN and not actor.is_at_least(needs):
        raise Forbidden()


def _declared(view: Any, verb: str) -> str | None:
    declared = getattr(view, "access", None)
    if declared is not None:
        return _checked(view, verb, declared)
    if (anonymous := getattr(view, "anonymous", None)) is not None:
        return ANYONE if verb in anonymous else SIGNED_IN
    said = {**getattr(view, "__apidoc__", {})}
    said |= getattr(getattr(view, verb.lower(), None), "__apidoc__", {})
    if "security" not in said:
        return None
    return SIGNED_IN if said["security"] else ANYONE


def _checked(view: Any, verb: str, declared: Access) -> str | None:
    who = declared if isinstance(declared, str) else declared.get(verb)
    if who is not None and who not in _KNOWN:
        name = getattr(view, "__qualname__", view)
        raise ValueError(f"{name}: access is one of {', '.join(_KNOWN)}, not {who!r}")
    return who
