"""Bodies: strict JSON, limits, media types. A bare Flask app is enough."""

from __future__ import annotations

import io
import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, request
from flask_restx import Model, Namespace

from api import fields, input
from api.decoding import decode
from api.input import read_body, read_form_or_json, read_raw
from api.problems import MalformedBody, TooLarge, UnsupportedMediaType
from services.errors import Invalid, ServiceError

LIMIT = 1000
ns = Namespace("test")
post = fields.shape(
    ns,
    "Post",
    title=fields.String(required=True),
    published_at=fields.DateTime(nullable=True),
    tags=fields.List(fields.String(kind="tag")),
)


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.config["SIGNPOST"] = SimpleNamespace(MAX_JSON_BYTES=LIMIT)
    return app


def refusal(app: Flask, error: type[ServiceError], **kwargs: Any) -> ServiceError:
    """Send a request to ``read_raw`` and return its refusal."""
    with app.test_request_context("/", method="POST", **kwargs), pytest.raises(error) as caught:
        read_raw()
    return caught.value


class Chunks(io.RawIOBase):
    """A body of unknown length, as a server hands on a chunked one."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        given = min(self.left, len(buffer), 100)
        buffer[:given] = b" " * given
        self.left -= given
        return given


def sent(stream: Any, **environ: Any) -> dict[str, Any]:
    """Return a request with a JSON body as a server would hand it on."""
    environ["wsgi.input"] = stream
    return {"content_type": "application/json", "environ_overrides": environ}


class TestDecode:
    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (b' {"a": [1, -2.5, true, null, "\xc3\xa9"]} ', {"a": [1, -2.5, True, None, "\xe9"]}),
            (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
            (b'"\\ud83d\\ude00"', "\U0001f600"),
            (b"[" * 32 + b"]" * 32, json.loads("[" * 32 + "]" * 32)),
            (b"[" + b"[]," * 99_998 + b"[]]", [[]] * 99_999),
            (b'["' + b'[{\\"' * 100_000 + b'"]', ['[{"' * 100_000]),
        ],
    )
    def test_what_json_is(self, raw: bytes, expected: Any) -> None:
        assert decode(raw) == expected

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"{",
            b'{"a": 1,}',
            b"{'a': 1}",
            b'{"a": 1} {"b": 2}',
            b'{"a": 1, "a": 2}',
            b'[{"x": {"a": 1, "\\u0061": 2}}]',
            b"NaN",
            b'{"a": Infinity}',
            b"-Infinity",
            b"1e999",
            b"-1e999",
            b"01",
            b"+1",
            b".5",
            b'"\\ud800"',
            b'{"\\udfff": 1}',
            b'"\\ude00\\ud83d"',
            b'"\xff"',
            b'"\xed\xa0\x80"',
            '{"a": 1}'.encode("utf-16"),
            '{"a": 1}'.encode("utf-32"),
            b'"a\nb"',
            b'"\\x41"',
            b"1" * 5000,
            b"[" * 33 + b"]" * 33,
            b'{"a":' * 33 + b"1" + b"}" * 33,
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b"[" * 100_000 + b"]" * 100_000,
            b"[" + b"{}," * 99_999 + b"[]]",
            b'["' + b'[\\"' * 500_000,
        ],
    )
    def test_what_is_refused_and_quickly(self, raw: bytes) -> None:
        start = time.process_time()

        with pytest.raises(MalformedBody) as caught:
            decode(raw)

        assert caught.value.public_code == "malformed-json"
        assert time.process_time() - start < 1.0  # quadratic ways took seconds

    def test_tells_the_place(self) -> None:
        with pytest.raises(MalformedBody, match=r"line 2, column 5"):
            decode(b'{\n "a"; 1}')

    def test_what_it_says_can_be_encoded(self) -> None:
        with pytest.raises(MalformedBody) as caught:
            decode(b'{"\\ud800": 1, "\\ud800": 2}')

        assert caught.value.public_message.isascii()

    @pytest.mark.parametrize(
        "value", [{f"k{n}": n for n in range(100_000)}, [1] * 600_000, ["[{" * 50] * 9000]
    )
    def test_much_of_anything_is_read_in_little_time(self, value: Any) -> None:
        raw = json.dumps(value).encode()[: 2 * 1024 * 1024]
        raw = raw if raw[-1:] in b"]}" else raw[: raw.rindex(b",")] + b"]"
        start = time.process_time()

        decode(raw)

        assert time.process_time() - start < 1.0  # quadratic ways took seconds


class TestReadRaw:
    def test_hands_on_the_bytes_and_leaves_them_to_be_read_again(self, app: Flask) -> None:
        with app.test_request_context(
            "/", method="POST", data=b"{}", content_type="application/json"
        ):
            assert read_raw() == b"{}"
            assert request.get_data() == b"{}"

    @pytest.mark.parametrize(
        "content_type",
        [
            "application/json; charset=UTF-8",
            'Application/JSON;charset="utf-8"',
            "application/json;q=x",
        ],
    )
    def test_spellings_of_the_type(self, app: Flask, content_type: str) -> None:
        with app.test_request_context("/", method="POST", data=b"{}", content_type=content_type):
            assert read_raw() == b"{}"

    @pytest.mark.parametrize(
        "content_type",
        [
            None,
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/merge-patch+json",
            "application/jsonp",
            "application/json, text/plain",
            "application/json; charset=latin-1",
            "application/json; charset=utf-16",
        ],
    )
    def test_another_type_or_charset(self, app: Flask, content_type: str | None) -> None:
        error = refusal(app, UnsupportedMediaType, data=b"{}", content_type=content_type)

        assert error.public_code == "unsupported-media-type"

    @pytest.mark.parametrize("coding", ["gzip", "identity", "br", "x"])
    def test_any_content_encoding(self, app: Flask, coding: str) -> None:
        headers = {"Content-Encoding": coding}

        refusal(app, UnsupportedMediaType, json={}, headers=headers)

    def test_too_long_by_its_own_word_is_not_read(self, app: Flask) -> None:
        stream = Chunks(LIMIT + 1)

        error = refusal(app, TooLarge, **sent(stream, CONTENT_LENGTH=str(LIMIT + 1)))

        assert error.public_code == "too-large"
        assert stream.left == LIMIT + 1

    def test_too_long_comes_before_the_wrong_type(self, app: Flask) -> None:
        refusal(app, TooLarge, data=b" " * (LIMIT + 1), content_type="text/plain")

    @pytest.mark.parametrize(("size", "fits"), [(LIMIT, True), (LIMIT + 1, False), (10**7, False)])
    def test_of_unknown_length_is_counted(self, app: Flask, size: int, fits: bool) -> None:
        stream = Chunks(size)
        terminated = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
        given = sent(stream, **terminated)

        if fits:
            with app.test_request_context("/", method="POST", **given):
                assert len(read_raw()) == size
        else:
            refusal(app, TooLarge, **given)
            assert stream.left == size - LIMIT - 1

    @pytest.mark.parametrize("terminated", [True, False])
    def test_shorter_than_announced(self, app: Flask, terminated: bool) -> None:
        environ = {"wsgi.input_terminated": True} if terminated else {}
        given = sent(io.BytesIO(b"{}"), CONTENT_LENGTH="10", **environ)

        error = refusal(app, MalformedBody, **given)

        assert error.public_code == "malformed-json"

    @pytest.mark.parametrize("content_type", [None, "application/json"])
    def test_no_body(self, app: Flask, content_type: str | None) -> None:
        refusal(app, MalformedBody, content_type=content_type)

    def test_a_limit_of_its_own(self, app: Flask) -> None:
        with app.test_request_context("/", method="POST", json=["x" * LIMIT]):
            assert len(read_raw(2 * LIMIT)) > LIMIT


class TestReadBody:
    def test_is_cleaned(self, app: Flask) -> None:
        body = {"title": " Hi ", "published_at": "2026-01-01T00:00:00+01:00", "tags": ["a"]}

        with app.test_request_context("/", method="POST", json=body):
            cleaned = read_body(post)

        expected = datetime(2025, 12, 31, 23, tzinfo=UTC)
        assert cleaned == {"title": "Hi", "published_at": expected, "tags": ["a"]}

    def test_a_merge_patch_is_read_where_it_is_due(self, app: Flask) -> None:
        patch = fields.patch_of(ns, "Patch", post)
        kind = "application/merge-patch+json"
        given = {"data": b'{"title": "Hi"}', "content_type": kind}

        with app.test_request_context("/", method="PATCH", **given):
            assert read_body(patch, media_types=(kind, "application/json")) == {"title": "Hi"}
        refusal(app, UnsupportedMediaType, **given)

    @pytest.mark.parametrize("body", ["[]", '"x"', "5", "true", "null"])
    def test_a_body_that_is_no_object(self, app: Flask, body: str) -> None:
        given = {"data": body, "content_type": "application/json"}

        with (
            app.test_request_context("/", method="POST", **given),
            pytest.raises(Invalid) as caught,
        ):
            read_body(post)

        assert [(fault.field, fault.code) for fault in caught.value.faults] == [("", "type")]


grant = fields.shape(
    ns,
    "Grant",
    grant_type=fields.String(required=True, enum=["password"]),
    username=fields.String(required=True, max_length=50),
    password=fields.String(kind="secret"),
)


class TestReadFormOrJson:
    @pytest.fixture
    def send(self, app: Flask) -> Any:
        def send(data: str, content_type: str = "application/x-www-form-urlencoded") -> Any:
            given = {"data": data, "content_type": content_type}
            with app.test_request_context("/", method="POST", **given):
                return read_form_or_json(grant)

        return send

    def test_json_and_a_form_mean_the_same(self, send: Any) -> None:
        form = send("grant_type=password&username=ada&password=+a%2Bb%C3%A9")
        text = json.dumps({"grant_type": "password", "username": "ada", "password": " a+b\xe9"})

        assert form == send(text, "application/json")

    def test_a_form_may_have_more_and_empty_fields(self, send: Any) -> None:
        cleaned = send("client_id=x&scope=&grant_type=password&username=ada&password=")

        assert cleaned == {"grant_type": "password", "username": "ada"}

    def test_json_may_not(self, send: Any) -> None:
        with pytest.raises(Invalid):
            send('{"grant_type": "password", "username": "a", "zz": 1}', "application/json")

    def test_repeated_fields_are_faults_beside_the_others(self, send: Any) -> None:
        with pytest.raises(Invalid) as caught:
            send("username=ada&username=bob")

        found = {(fault.field, fault.code) for fault in caught.value.faults}
        assert found == {("username", "repeated"), ("grant_type", "required")}

    @pytest.mark.parametrize("data", ["username=%ff", "&".join(["a="] * 250), ""])
    def test_malformed_forms(self, send: Any, data: str) -> None:
        with pytest.raises(MalformedBody):
            send(data)

    def test_another_type(self, send: Any) -> None:
        with pytest.raises(UnsupportedMediaType):
            send("x", "text/plain")


def test_a_shape_is_never_seen_half_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's first requests come at once: whoever is second must not find half the members."""
    shape = Model("Both", {"one": fields.String(), "two": fields.String()})
    compile_member, seen = input._member, list[object]()

    def compile_and_look(field: Any) -> Any:
        if not seen:
            seen.append(None)
            seen.append(input.check_body(shape, {"one": "1", "two": "2"}))
        return compile_member(field)

    monkeypatch.setattr(input, "_member", compile_and_look)

    assert input.check_body(shape, {"one": "1", "two": "2"}) == seen[1] == {"one": "1", "two": "2"}
