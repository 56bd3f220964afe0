"""Everything that the kit proves of an extension, as one class of tests."""

from __future__ import annotations

from signpost.contract.documented import Pressed
from signpost.contract.everywhere import Everywhere
from signpost.contract.items import Changed, History, Known, Read, Trash
from signpost.contract.lists import Costs, Lists
from signpost.contract.package import Package
from signpost.contract.problems import Problems
from signpost.contract.rights import Rights


class Contract(
    Package,
    Rights,
    Everywhere,
    Problems,
    Pressed,
    Costs,
    Lists,
    Known,
    Read,
    Changed,
    History,
    Trash,
):
    """Name the extension: ``extension = "people"``.

    Where it deliberately differs, write the test anew in the class: what holds instead, and why.
    Where one of a type is made by more than a POST of its examples, ``makers`` says how.
    """
