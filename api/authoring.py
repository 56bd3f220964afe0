"""What authors of extensions declare with: namespaces, resources, problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from flask import current_app, request
from flask.cli import AppGroup
from flask_restx import Namespace as RestxNamespace
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Response

from api import mounted
from api.access import ANYONE, Access, needed
from api.errors import code_of
from api.mounted import Shape
from api.problems import Aborted
from api.replies import reply
from api.resource import Endpoint
from services.errors import Fault

D = TypeVar("D")
H = TypeVar("H", bound=Callable[..., Any])


class Namespace(RestxNamespace):  # type: ignore[misc]  # RESTX is untyped
    """A namespace of an extension, mounted at ``/api/<name>``.

    Args:
        name: heading of its group in the documentation.
        settings: frozen dataclass of ``setting(...)`` fields, read from ``<NAME>_<FIELD>``.
        token_schemes: schemes of ``Authorization`` that carry an access token here, beside Bearer.
        shape: makes another error shape of each problem below its path.
    """

    def __init__(
        self,
        name: str,
        description: str | None = None,
        *,
        settings: type[Any] | None = None,
        token_schemes: Sequence[str] = (),
        shape: Shape | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, description, **options)
        self.settings_class = settings
        self.token_schemes = tuple(token_schemes)
        self.shape = shape
        self.hooks: list[Callable[..., None]] = []
        self.cli = AppGroup(name, help=description)

    @property
    def settings(self) -> Any:
        """The values of its settings, in the current app."""
        found = mounted.all_of(current_app._get_current_object())  # type: ignore[attr-defined]
        return next(each for each in found.values() if each.extension.namespace is self).settings

    if TYPE_CHECKING:  # RESTX is untyped; its decorators return what they are given

        def doc(self, *said: Any, **options: Any) -> Callable[[D], D]: ...

        route = expect = response = param = errorhandler = doc

    def after_commit(self, hook: H) -> H:
        """Have ``hook`` called with the changes of each transaction, once it is committed."""
        self.hooks.append(hook)
        return hook


class Resource(Endpoint):
    """A resource whose verbs return data, ``(data, status)`` or ``(data, status, headers)``.

    It goes out as JSON; what GET returns has an ETag.
    """

    access: ClassVar[Access] = {}
    """Who may call it: ``anyone``, ``signed-in`` or a role, or one of these by verb."""

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """Run the verb and answer what it returned."""
        verb = request.method.lower()
        method = getattr(self, verb, None) or self.get
        return reply(method(*args, **kwargs))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Tell the documentation which verbs are for anyone."""
        super().__init_subclass__(**kwargs)
        verbs = {verb for verb in cls.methods or () if needed(cls, verb) == ANYONE}
        cls.anonymous = frozenset(verbs | ({"HEAD"} if "GET" in verbs else set()))


def abort(
    status: int,
    detail: str | None = None,
    *,
    code: str | None = None,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> NoReturn:
    """Answer a problem.

    Args:
        status: 400 to 599.
        detail: one sentence for people.
        code: one of docs/errors.md that has this status; unless given, the usual one.
        faults: what is wrong with the input, field by field.
        members: further members of the problem.

    Raises:
        Aborted: always.
    """
    raise Aborted(
        status,
        detail or HTTP_STATUS_CODES.get(status),
        code=code or code_of(status),
        faults=faults,
        extra=members,
        headers=headers,
    )
