"""Pictures: how large one is, what it gives away, a small copy of it.

Containers are walked in containers.py without decoding, stripped in stripping.py; Pillow decodes
in decoding.py alone, few at a time.
"""

from __future__ import annotations

from services.pictures.decoding import settings, thumbnail
from services.pictures.faults import BrokenPicture
from services.pictures.measuring import TYPES, Size, measure
from services.pictures.stripping import strip

__all__ = ["TYPES", "BrokenPicture", "Size", "measure", "settings", "strip", "thumbnail"]
