"""Which tests of the kit run: those about a resource for each that there is."""

from __future__ import annotations

import pytest

from signpost.contract.subject import items as items_of


class Kit:
    """What all classes of the kit share: which extension they are about."""

    extension: str | None = None
    """Name of the extension, its entry point's key; None: the core."""


def spread(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a ``type`` for each declared resource."""
    cls = metafunc.cls
    if cls and issubclass(cls, Kit) and "type" in metafunc.fixturenames:
        metafunc.parametrize("type", sorted(items_of(cls.extension)))


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that there is no resource for."""
    left_out = [item for item in items if _is_about_nothing(item)]
    items[:] = [item for item in items if item not in left_out]
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def _is_about_nothing(item: pytest.Item) -> bool:
    cls = getattr(item, "cls", None)
    if cls is None or not issubclass(cls, Kit):
        return False
    return "type" in getattr(item, "fixturenames", ()) and not items_of(cls.extension)
