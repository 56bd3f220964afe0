"""What tests read of an answer, as the kit for authors does: signpost/contract/answers.py."""

from __future__ import annotations

from signpost.contract.answers import code, data, faults, ids, items

__all__ = ["code", "data", "faults", "ids", "items"]
