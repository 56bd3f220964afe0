"""``/api/frames`` keeps to what all resources have in common."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask.testing import FlaskClient

from signpost.contract import Contract


def upload(caller: FlaskClient, type: str) -> Any:
    """Upload a small table."""
    sent = {"files": (BytesIO(b"a,b\n1,x\n"), "a.csv")}
    return caller.post(f"/api/{type}", data=sent)


class TestContract(Contract):
    extension = "frames"
    makers = {"frames": upload}
    uploads = {"createFrame": {"files": (b"name,price\nred,1.5\nblue,2\n", "harbours.csv")}}
