"""Which tests of the kit run: for each resource, but for what an extension is excused from."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from signpost.contract.subject import items as items_of


class Kit:
    """What all classes of the kit share: which extension they are about, and how it differs."""

    extension: str | None = None
    """Name of the extension, its entry point's key; None: the core."""
    excused: Mapping[str, str] = {}
    """Test → why this extension deliberately fails it. One that passes is no longer excused."""


def spread(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a ``type`` for each declared resource."""
    cls = metafunc.cls
    if cls and issubclass(cls, Kit) and "type" in metafunc.fixturenames:
        metafunc.parametrize("type", sorted(items_of(cls.extension)))


def excuse(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that there is no resource for; mark those that are excused.

    Raises:
        pytest.UsageError: a class excuses itself from what is no test.
    """
    left_out = [item for item in items if _is_about_nothing(item)]
    items[:] = [item for item in items if item not in left_out]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    for item in items:
        cls = getattr(item, "cls", None)
        if cls is None or not issubclass(cls, Kit):
            continue
        if unknown := [name for name in cls.excused if not hasattr(cls, name)]:
            raise pytest.UsageError(f"{cls.__qualname__} excuses no test: {', '.join(unknown)}")
        if reason := cls.excused.get(getattr(item, "originalname", "")):
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def _is_about_nothing(item: pytest.Item) -> bool:
    cls = getattr(item, "cls", None)
    if cls is None or not issubclass(cls, Kit):
        return False
    return "type" in getattr(item, "fixturenames", ()) and not items_of(cls.extension)
