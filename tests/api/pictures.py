"""Pictures for tests, as files of users."""

from __future__ import annotations

from io import BytesIO
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from PIL import Image

from tests import uploads
from tests.uploads import FILES

_NUMBERS = count()


def picture(width: int = 60, height: int = 40, kind: str = "PNG", **how: Any) -> bytes:
    """Return a picture with a red corner, top left; each time another one."""
    image = Image.radial_gradient("L").resize((width, height)).convert("RGB")
    image.paste((255, 0, 0), (0, 0, width // 5, height // 5))
    image.putpixel((width - 1, height - 1), (next(_NUMBERS) % 256, next(_NUMBERS) % 251, 0))
    written = BytesIO()
    image.save(written, kind, **how)
    return written.getvalue()


def uploaded(
    client: FlaskClient, content: bytes | None = None, name: str = "harbour.png", **fields: str
) -> dict[str, Any]:
    """Upload a picture and return its file."""
    return uploads.uploaded(client, content or picture(), name, **fields)


def shown(content: bytes) -> Image.Image:
    """Return a picture, decoded."""
    image = Image.open(BytesIO(content))
    image.load()
    return image


def content_of(id: int) -> str:
    """Return the path of what a file holds."""
    return f"{FILES}/{id}/content"


def thumbnail_of(id: int, width: int | None = None) -> str:
    """Return the path of a thumbnail."""
    return f"{FILES}/{id}/thumbnail" + (f"?width={width}" if width else "")
