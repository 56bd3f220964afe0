"""One item of a declared resource: read, replaced, patched both ways, moved to the trash."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import orjson
from flask import Response, request
from sqlalchemy.orm import Session

from api import json_patch, output
from api.preconditions import conditional, expected_versions
from api.resource import SpecEndpoint
from api.spec import Shape, declared, shape_for
from services.errors import Conflict, Stale

T = TypeVar("T")
_TRIES = 5


class Item(SpecEndpoint):
    """``GET`` and ``DELETE`` one item; ``PUT`` and ``PATCH`` it if the spec has their shapes."""

    is_kept = True

    def get(self, id: int) -> Response:
        """Get {a}

        `ETag` names the version that you see; send it back in `If-None-Match` to ask whether there
        is a newer one.
        """
        mask = self.spec.read_item_query()["fields"]
        row = self.read(lambda session: self.service(session).row(id))
        return conditional(self.shown(row, mask))

    def put(self, id: int) -> Response:
        """Replace {a}

        The body is the whole of it: optional members that are absent go back to their defaults, but
        for what would hide it or change its URL. With `If-Match` nobody's change is overwritten
        unseen.
        """
        return self._change("replace", declared(self.spec.replace), id)

    def patch(self, id: int) -> Response:
        """Change {a} by a merge patch or a JSON Patch

        A merge patch (RFC 7396) has only the members that change. A JSON Patch (RFC 6902) is a list
        of operations, all applied or none; its `test` refuses the others with 409. With `If-Match`
        nobody's change is overwritten unseen.
        """
        if request.mimetype == json_patch.MEDIA_TYPE:
            return self._patch_by_operations(id)
        return self._change("patch", declared(self.spec.patch), id)

    def delete(self, id: int) -> Response:
        """Move {a} to the trash

        It is gone for every reader at once, with all that belongs to it. `Link` with `rel="undo"`
        is where it can be brought back; see Trash.
        """
        self.refuse_parameters("delete", id)
        expected = self._expected(id, "delete")
        self._write(id, lambda service: service.delete(id, expected))
        response = self.nothing()
        if self.undoable(id):
            undo = self.core_path("trash", self.spec.service.type, id, "restoration")
            response.headers["Link"] = f'<{undo}>; rel="undo"'
        return response

    def undoable(self, id: int) -> bool:
        """Whether the caller, who just deleted it, may restore the item too."""
        return True

    def _change(self, verb: str, shape: Shape, id: int) -> Response:
        with self.rights_first("update", id):
            mask = self.mask()
        data = self.body(shape, "update", id)
        return self._store(verb, id, data, self._expected(id, "update"), mask)

    def _patch_by_operations(self, id: int) -> Response:
        """Apply a JSON Patch to what the item shows now; anew if it changes meanwhile."""
        shape = shape_for(self.actor, declared(self.spec.patch))
        with self.rights_first("update", id):
            mask = self.mask()
            operations = json_patch.read_operations(shape)
        wanted = self._expected(id, "update")
        for _ in range(_TRIES):
            row = self.read(lambda session: self._to_change(session, id))
            expected = frozenset({row.version})
            if wanted is None or row.version in wanted:
                shown = orjson.loads(output.dumps(output.plan(self.spec.output)(row)))
                data = json_patch.changes(operations, shown, shape)
                with suppress(Stale):
                    return self._store("patch", id, data, expected, mask)
            if wanted is not None:
                raise self._with_tag(Stale(), id)
        raise Conflict("It is being changed by others all the time.")

    def _to_change(self, session: Session, id: int) -> Any:
        service = self.service(session)
        service.check("update", id)
        return service.row(id)

    def _store(
        self,
        verb: str,
        id: int,
        data: dict[str, Any],
        expected: frozenset[int] | None,
        mask: str | None,
    ) -> Response:
        confirmed = self.service(self.session).confirm(id, data)
        prepared = {**self.spec.service.prepare(data), **confirmed}

        def work(service: Any) -> Any:
            getattr(service, verb)(id, prepared, expected)
            return service.row(id)

        return self.shown(self._write(id, work), mask)

    def _expected(self, id: int, action: str) -> frozenset[int] | None:
        with self.rights_first(action, id):
            return expected_versions(required=self.config.REQUIRE_IF_MATCH)

    def _write(self, id: int, work: Callable[[Any], T]) -> T:
        """Run ``work`` on the service; a refused If-Match is told with the present ETag."""
        try:
            return self.write(lambda session: work(self.service(session)))
        except Stale as exc:
            raise self._with_tag(exc, id) from exc

    def _with_tag(self, exc: Stale, id: int) -> Stale:
        row = self.read(lambda session: self.service(session).row(id))
        exc.headers = {"ETag": self.shown(row).headers["ETag"]}
        return exc
