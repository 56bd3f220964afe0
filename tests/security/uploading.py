"""Files for the questions of test_fuzz.py."""

from __future__ import annotations

from io import BytesIO

import httpx
from PIL import Image


def upload(url: str, token: str) -> list[int]:
    """Upload a picture and two other files below ``url``; return their ids."""
    picture = BytesIO()
    Image.new("RGB", (64, 48)).save(picture, "PNG")
    contents = (picture.getvalue(), b'{"a": 1}', b"text")
    parts = [("files", (f"file-{n}", content)) for n, content in enumerate(contents)]
    headers = {"Authorization": token}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client:
        made = client.post("/files", files=parts, data={"visibility": "public"})
    return [item["id"] for item in made.raise_for_status().json()["items"]]
