"""Parsers of extensions: arguments of the query and of a form, numbers, every fault at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from api import arguments
from api.parsers import FORM, RequestParser
from services.errors import Invalid

both = (
    RequestParser()
    .add_argument("lang", action="append")
    .add_argument("once")
    .add_argument("lang", location="form", action="append")
    .add_argument("once", location="form")
    .add_argument("size", float, location="form", default=1.0)
)


@contextmanager
def asked(query: str = "", form: str = "", **environ: Any) -> Iterator[None]:
    app = Flask(__name__)
    app.config["SIGNPOST"] = SimpleNamespace(MAX_JSON_BYTES=1_000)
    sent = {"data": form, "content_type": FORM} if form else {}
    with app.test_request_context(f"/?{query}", method="POST", **sent, **environ):
        yield


def faults(query: str = "", form: str = "") -> dict[str, str]:
    with asked(query, form), pytest.raises(Invalid) as caught:
        both.parse_args()
    return {fault.field: fault.code for fault in caught.value.faults}


class TestForm:
    def test_adds_to_what_the_query_repeats(self) -> None:
        with asked("lang=a&lang=b", "lang=c&once=x&size=.5"):
            assert both.parse_args() == {"lang": ["a", "b", "c"], "once": "x", "size": 0.5}

    def test_may_be_absent(self) -> None:
        with asked("once=x"):
            assert both.parse_args() == {"lang": [], "once": "x", "size": 1.0}

    def test_that_repeats_the_query_is_refused(self) -> None:
        assert faults("once=x", "once=x") == {"once": "repeated"}

    def test_tells_its_faults_and_those_of_the_query(self) -> None:
        expected = {"other": "unknown", "size": "format", "more": "unknown"}
        assert faults("other=1", "size=x&more=1") == expected

    def test_of_unknown_length_is_read(self) -> None:
        # given
        environ = {
            "wsgi.input": BytesIO(b"once=x"),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_TYPE": FORM,
        }
        # when
        with asked(environ_overrides=environ):
            values = both.parse_args()
        # then
        assert values["once"] == "x"


class TestNumber:
    @pytest.mark.parametrize("text", ["1", "-1.5", "+.5", "5.", "1e3", "1E-3", "0" * 400])
    def test_is_what_a_float_is(self, text: str) -> None:
        assert arguments.Number()(text) == float(text)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            *((text, "format") for text in ("", ".", "1_0", " 1", "1\n", "nan", "inf", "²", "0x1")),
            *((text, "too_large") for text in ("1e999", "-1e999", "9" * 400)),
        ],
    )
    def test_refuses(self, text: str, code: str) -> None:
        with pytest.raises(arguments.Refused) as caught:
            arguments.Number()(text)
        assert caught.value.code == code

    def test_is_refused_at_once_however_long(self) -> None:
        # given
        started = time.perf_counter()
        # when
        for text in ("9" * 9_999 + "x", "9" * 5_000 + "." + "9" * 4_998 + "x"):
            with pytest.raises(arguments.Refused):
                arguments.Number()(text)
        # then, where backtracking takes seconds
        assert time.perf_counter() - started < 0.2
