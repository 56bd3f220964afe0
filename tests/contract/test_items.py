"""The core's declared resources keep what holds for all: signpost/contract/items.py."""

from __future__ import annotations

from signpost.contract import items
from tests.contract.declared import MAKERS


class Core(items.Resources):
    """What is known of the core's own."""

    makers = MAKERS


class TestKnown(Core, items.Known):
    pass


class TestRead(Core, items.Read, items.Allowed):
    pass


class TestChange(Core, items.Changed):
    pass


class TestHistory(Core, items.History):
    pass


class TestTrash(Core, items.Trash):
    pass
