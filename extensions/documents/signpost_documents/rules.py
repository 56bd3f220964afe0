"""Rules about documents: public JSON files of the core's, the newest of a name."""

from __future__ import annotations

import unicodedata
from typing import Any

from signpost import models, services
from signpost.files import clean_name

JSON = "application/json"
VISIBILITY = "public"


class DocumentService(services.FileService):
    """Files that are documents; what else holds for them is the core's."""

    def newest(self, name: str) -> Any:
        """Return the document of a name; of several, the one that was uploaded last.

        Raises:
            NotFound: there is none.
        """
        file = models.File
        found = self.visible().where(
            file.name == unicodedata.normalize("NFC", name),
            file.media_type == JSON,
            file.visibility == VISIBILITY,
        )
        return self.first(found.order_by(file.id.desc()).limit(1))


def stored_name(prefix: str, own: str) -> str:
    """Return what a file is called here: a prefix, then its own name without blanks."""
    return clean_name(prefix + "".join(own.split()))
