"""Rules about documents: public JSON files of the core's, the newest of a name."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from signpost import models, services
from signpost.files import clean_name
from signpost_documents.models import Name

JSON = "application/json"
VISIBILITY = "public"


class DocumentService(services.FileService):
    """Files that are documents under a name; what else holds for them is the core's."""

    def create(self, data: Mapping[str, Any]) -> int:
        """Create a file, and give its name to the document; return its id."""
        id = super().create(data)
        self.session.execute(sa.insert(Name).values(file_id=id, name=data["name"]))
        return id

    def newest(self, name: str) -> Any:
        """Return the document of a name; of several, the one that was uploaded last.

        Raises:
            NotFound: there is none.
        """
        file = models.File
        found = self.visible().join(Name, Name.file_id == file.id)
        found = found.where(
            Name.name == unicodedata.normalize("NFC", name),
            file.media_type == JSON,
            file.visibility == VISIBILITY,
        )
        return self.first(found.order_by(Name.file_id.desc()).limit(1))


def stored_name(prefix: str, own: str) -> str:
    """Return what a file is called here: a prefix, then its own name without blanks."""
    return clean_name(prefix + "".join(own.split()))
