"""The contract kit: hold an extension to what all routes of Signpost keep.

In a test file of the extension, with pytest installed beside Signpost:
``class TestContract(Contract): extension = "people"``. docs/extending.md explains it.
"""

from __future__ import annotations

from signpost.contract.contract import Contract
from signpost.contract.factories import PASSWORD, make_user

__all__ = ["PASSWORD", "Contract", "make_user"]
