"""``/api/documents``: what is uploaded under which name, what fails, who reads what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Config
from models import Content, File
from signpost.contract import PASSWORD, make_user

DOCUMENTS, FILES = "/api/documents", "/api/v1/files"
FORM = "multipart/form-data"
CAT = b'{"0": "cat"}'
SignIn = Callable[..., FlaskClient]
MakeApp = Callable[[Config], Flask]


def upload(caller: FlaskClient, *files: tuple[str, bytes], **fields: Any) -> Any:
    """Send files, each as (name, content), and further fields."""
    sent = [(BytesIO(content), name) for name, content in files]
    return caller.post(DOCUMENTS, data={"FILES_LIST": sent, **fields}, content_type=FORM)


def failed(answer: Any) -> str:
    """Return which files are said to have failed."""
    assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.text
    assert answer.get_json().keys() == {"STATUS", "ERROR_FILES_LIST"}
    assert answer.get_json()["STATUS"] == "true"
    return str(answer.get_json()["ERROR_FILES_LIST"])


def read(caller: FlaskClient, name: str) -> Any:
    """Return a document."""
    answer = caller.get(f"{DOCUMENTS}/{name}")
    assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.text
    assert answer.get_json().keys() == {"STATUS", "LABELS_MAPPING"}
    assert answer.get_json()["STATUS"] == "true"
    return answer.get_json()["LABELS_MAPPING"]


def is_missing(answer: Any) -> bool:
    """Whether it is the problem of what is not there."""
    problem = answer.get_json()
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert (problem["status"], problem["code"]) == (404, "not-found")
    return bool(problem["error"] == "file not found in server")


def names(session: Session) -> list[str]:
    """Return the names of all stored files, oldest first."""
    return list(session.scalars(sa.select(File.name).order_by(File.id)))


class TestUpload:
    def test_of_one(self, ada: FlaskClient, client: FlaskClient, session: Session) -> None:
        # when
        answer = upload(ada, ("labels.json", CAT))
        # then
        assert failed(answer) == ""
        assert read(client, "labels.json") == {"0": "cat"}
        (file,) = session.scalars(sa.select(File))
        assert (file.visibility, file.media_type) == ("public", "application/json")

    def test_of_many_under_a_prefix(self, ada: FlaskClient, client: FlaskClient) -> None:
        # given
        sent = [(f"my labels {n}.json", b"[%d]" % n) for n in range(20)]
        # when
        answer = upload(ada, *sent, FILE_NAME="2026-")
        # then
        assert failed(answer) == ""
        for n in range(20):
            assert read(client, f"2026-mylabels{n}.json") == [n]
        assert is_missing(client.get(f"{DOCUMENTS}/mylabels0.json"))

    @pytest.mark.parametrize(
        ("prefix", "own", "stored"),
        [
            ("", "a.json", "a.json"),
            ("p", " a  b\u00a0c\u3000d.json ", "pabcd.json"),
            ("two words-", "a.json", "two words-a.json"),
            ("p-", "../../etc/a.json", "p-a.json"),
            ("..", ".json", "...json"),
            ("p", "a\u0308.json", "pä.json"),
            ("p" * 100, "n" * 300 + ".json", "p" * 100 + "n" * 150 + ".json"),
        ],
    )
    def test_is_stored_as(
        self, ada: FlaskClient, session: Session, prefix: str, own: str, stored: str
    ) -> None:
        assert failed(upload(ada, (own, CAT), FILE_NAME=prefix)) == ""
        assert names(session) == [stored]

    def test_of_good_and_bad_ones(
        self, ada: FlaskClient, client: FlaskClient, session: Session
    ) -> None:
        # given
        files = [
            ("a b.jpg", b""),
            ("good.json", CAT),
            ("half.json", b'{"0": '),
            ("twice.json", b'{"a": 1, "a": 2}'),
            ("nan.json", b"[NaN]"),
            ("latin.json", b'["\xe4"]'),
            ("note.txt", b"hello"),
        ]
        # when
        answer = upload(ada, *files, FILE_NAME="p-")
        # then
        assert failed(answer) == "a b.jpg,half.json,twice.json,nan.json,latin.json"
        assert names(session) == ["p-good.json", "p-note.txt"]
        assert read(client, "p-good.json") == {"0": "cat"}

    def test_of_bad_ones_alone(self, ada: FlaskClient, session: Session) -> None:
        assert failed(upload(ada, ("a.jpg", b""), ("b.json", b"{"))) == "a.jpg,b.json"
        assert names(session) == []
        assert session.scalar(sa.select(sa.func.count()).select_from(Content)) == 0

    def test_of_one_that_is_too_large(
        self, make_app: MakeApp, config: Config, session: Session
    ) -> None:
        # given
        caller = signed_in(make_app(replace(config, MAX_FILE_BYTES=1_000)), session)
        # when
        answer = upload(caller, ("large.json", b'"' + b"x" * 1_000 + b'"'), ("a.json", CAT))
        # then
        assert failed(answer) == "large.json"
        assert names(session) == ["a.json"]

    def test_beyond_what_the_owner_may_store(
        self, make_app: MakeApp, config: Config, session: Session
    ) -> None:
        # given
        app = make_app(replace(config, MAX_FILE_BYTES=1_000, QUOTA_BYTES=1_000))
        caller = signed_in(app, session)
        half = b'"' + b"x" * 500 + b'"'
        # when
        answers = [upload(caller, (name, half)) for name in ("a.json", "b.json")]
        # then
        assert [failed(answer) for answer in answers] == ["", "b.json"]
        assert names(session) == ["a.json"]

    def test_belongs_to_who_sent_it(self, ada: FlaskClient, sign_in: SignIn) -> None:
        # given
        upload(ada, ("a.json", CAT))
        mallory = sign_in("author")
        (file,) = ada.get(FILES).get_json()["items"]
        # when
        refusal = mallory.delete(f"{FILES}/{file['id']}")
        # then
        assert file["author"]["username"] == "ada"
        assert refusal.status_code == 403
        assert mallory.get(FILES).get_json()["items"] == []
        assert read(mallory, "a.json") == {"0": "cat"}


class TestForm:
    @pytest.mark.parametrize(
        ("fields", "files", "faults"),
        [
            ({"FILE_NAME": "p"}, (), {"FILES_LIST": "required"}),
            ({"FILES_LIST": "text"}, (), {"FILES_LIST": "type"}),
            ({}, ("files",), {"files": "unknown"}),
            ({}, ("FILES_LIST", "FILE_NAME"), {"FILE_NAME": "unknown"}),
            ({"visibility": "private"}, ("FILES_LIST",), {"visibility": "unknown"}),
            (
                {"FILE_NAME": "../p", "other": "x"},
                ("FILES_LIST",),
                {"FILE_NAME": "format", "other": "unknown"},
            ),
            ({"FILE_NAME": "a\\b"}, ("FILES_LIST",), {"FILE_NAME": "format"}),
            ({"FILE_NAME": "a\x07"}, ("FILES_LIST",), {"FILE_NAME": "control_character"}),
            ({"FILE_NAME": "x" * 101}, ("FILES_LIST",), {"FILE_NAME": "too_long"}),
            ({"FILE_NAME": ["a", "b"]}, ("FILES_LIST",), {"FILE_NAME": "repeated"}),
        ],
    )
    def test_that_is_wrong_stores_nothing(
        self,
        ada: FlaskClient,
        session: Session,
        fields: dict[str, Any],
        files: tuple[str, ...],
        faults: dict[str, str],
    ) -> None:
        # given
        sent = fields | {name: (BytesIO(CAT), "a.json") for name in files}
        # when
        answer = ada.post(DOCUMENTS, data=sent, content_type=FORM)
        problem = answer.get_json()
        # then
        assert (answer.status_code, problem["code"]) == (400, "validation"), answer.text
        assert {each["field"]: each["code"] for each in problem["errors"]} == faults
        assert names(session) == []

    def test_without_a_prefix_may_have_an_empty_one(
        self, ada: FlaskClient, session: Session
    ) -> None:
        assert failed(upload(ada, ("a.json", CAT), FILE_NAME="")) == ""
        assert names(session) == ["a.json"]

    def test_that_is_none(self, ada: FlaskClient) -> None:
        # when
        json, cut = ada.post(DOCUMENTS, json={}), ada.post(DOCUMENTS, data=b"x", content_type=FORM)
        # then
        assert (json.status_code, json.get_json()["code"]) == (415, "unsupported-media-type")
        assert (cut.status_code, cut.get_json()["code"]) == (400, "malformed-json")

    def test_with_a_query(self, ada: FlaskClient, session: Session) -> None:
        # when
        sent = {"FILES_LIST": (BytesIO(CAT), "a.json")}
        answer = ada.post(f"{DOCUMENTS}?x=1", data=sent, content_type=FORM)
        # then
        assert answer.get_json()["errors"][0]["code"] == "unknown"
        assert names(session) == []


class TestRead:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"[]", []),
            (b"null", None),
            (b' "x"\n', "x"),
            (b"\xef\xbb\xbf{}", {}),
            (b'{"a": 1.50, "b": 12345678901234567890123, "c": "\\u00e4"}', None),
        ],
    )
    def test_of_any_json(
        self, ada: FlaskClient, client: FlaskClient, content: bytes, expected: Any
    ) -> None:
        # given
        upload(ada, ("a.json", content))
        # when
        answer = client.get(f"{DOCUMENTS}/a.json")
        # then
        text = content.removeprefix(b"\xef\xbb\xbf").strip()
        assert text in answer.data  # numbers as they were written
        assert expected is None or read(client, "a.json") == expected

    def test_of_one_of_some_megabytes(self, ada: FlaskClient, client: FlaskClient) -> None:
        # given
        labels = b"{%s}" % b",".join(b'"%d": "%s"' % (n, b"x" * 100) for n in range(30_000))
        # when
        head = b'--x\r\nContent-Disposition: form-data; name="FILES_LIST"; filename="large.json"'
        form = b"%s\r\n\r\n%s\r\n--x--\r\n" % (head, labels)
        answer = ada.post(DOCUMENTS, data=form, content_type=f"{FORM}; boundary=x")
        # then
        assert failed(answer) == ""
        assert len(read(client, "large.json")) == 30_000

    @pytest.mark.parametrize(
        "name",
        ["b.json", "A.json", "a", "note.txt", "a.json%00", "x/a.json", "..%2Fa.json", "a%20"],
    )
    def test_of_what_is_not_there(self, ada: FlaskClient, client: FlaskClient, name: str) -> None:
        # given
        upload(ada, ("a.json", CAT), ("note.txt", b"hello"))
        # when
        answer = client.get(f"{DOCUMENTS}/{name}")
        # then
        assert is_missing(answer)
        assert "/" not in answer.get_json()["detail"]

    def test_is_of_the_newest_whoever_uploaded_it(
        self, ada: FlaskClient, sign_in: SignIn, client: FlaskClient
    ) -> None:
        # given
        bea = sign_in("author")
        # when
        upload(ada, ("a.json", b"[1]"), ("a.json", b"[2]"))
        found = [read(client, "a.json")]
        upload(bea, ("a.json", b"[3]"))
        found += [read(client, "a.json"), read(ada, "a.json")]
        # then
        assert found == [[2], [3], [3]]

    def test_ends_with_the_trash(self, ada: FlaskClient, client: FlaskClient) -> None:
        # given
        upload(ada, ("a.json", b"[1]"))
        upload(ada, ("a.json", b"[2]"))
        (newest, _) = ada.get(FILES).get_json()["items"]
        # when
        ada.delete(f"{FILES}/{newest['id']}")
        # then
        assert read(client, "a.json") == [1]
        # when
        ada.post(f"/api/v1/trash/files/{newest['id']}/restoration")
        # then
        assert read(client, "a.json") == [2]

    def test_of_what_was_purged(self, ada: FlaskClient, client: FlaskClient) -> None:
        # given
        upload(ada, ("a.json", CAT))
        (file,) = ada.get(FILES).get_json()["items"]
        # when
        ada.delete(f"{FILES}/{file['id']}")
        ada.delete(f"/api/v1/trash/files/{file['id']}")
        # then
        assert is_missing(client.get(f"{DOCUMENTS}/a.json"))

    def test_of_what_became_private_or_is_called_otherwise(
        self, ada: FlaskClient, client: FlaskClient
    ) -> None:
        # given
        upload(ada, ("a.json", CAT), ("b.json", CAT))
        b, a = ada.get(FILES).get_json()["items"]
        # when
        ada.patch(f"{FILES}/{a['id']}", json={"visibility": "private"})
        ada.patch(f"{FILES}/{b['id']}", json={"name": "c.json"})
        # then
        for caller in (client, ada):
            assert is_missing(caller.get(f"{DOCUMENTS}/a.json"))
            assert is_missing(caller.get(f"{DOCUMENTS}/c.json"))
            assert read(caller, "b.json") == {"0": "cat"}  # as it was uploaded

    def test_of_a_suspended_author(
        self, ada: FlaskClient, sign_in: SignIn, client: FlaskClient
    ) -> None:
        # given
        upload(ada, ("a.json", CAT))
        admin, id = sign_in("admin"), ada.get("/api/v1/auth/whoami").get_json()["user"]["id"]
        # when
        admin.patch(f"/api/v1/users/{id}", json={"status": "suspended"})
        # then
        for caller in (client, admin):
            assert is_missing(caller.get(f"{DOCUMENTS}/a.json"))

    def test_of_a_file_of_the_core(self, ada: FlaskClient) -> None:
        # when
        sent = {"files": (BytesIO(CAT), "open.json"), "visibility": "public"}
        stored = ada.post(FILES, data=sent, content_type=FORM)
        # then
        assert stored.status_code == 201
        assert is_missing(ada.get(f"{DOCUMENTS}/open.json"))

    def test_has_an_etag(self, ada: FlaskClient, client: FlaskClient) -> None:
        # given
        upload(ada, ("a.json", b"[1]"))
        tag = client.get(f"{DOCUMENTS}/a.json").headers["ETag"]
        # when
        same = client.get(f"{DOCUMENTS}/a.json", headers={"If-None-Match": tag})
        upload(ada, ("a.json", b"[2]"))
        other = client.get(f"{DOCUMENTS}/a.json", headers={"If-None-Match": tag})
        # then
        assert (same.status_code, same.data) == (304, b"")
        assert other.status_code == 200

    def test_takes_one_query_however_many_there_are(
        self, ada: FlaskClient, client: FlaskClient, count_queries: Any
    ) -> None:
        # given
        upload(ada, *((f"{n}.json", CAT) for n in range(30)))
        # when
        with count_queries() as queries:
            read(client, "7.json")
        # then
        assert len(queries) == 1

    def test_with_a_query_string(self, client: FlaskClient) -> None:
        # when
        answer = client.get(f"{DOCUMENTS}/a.json?x=1")
        # then
        assert answer.status_code == 400
        assert "error" not in answer.get_json()


def signed_in(app: Flask, session: Session) -> FlaskClient:
    """Return an author as a caller of another application."""
    client = app.test_client()
    grant = {"grant_type": "password", "username": make_user(session).username}
    answer = client.post("/api/v1/auth/token", json=grant | {"password": PASSWORD})
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {answer.get_json()['access_token']}"
    return client
