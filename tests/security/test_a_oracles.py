"""Section A: nothing can be asked of what a caller may not read, not even whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.answers import code, faults, ids
from tests.security.surface import COLUMNS, NOBODY, Operation, uniform

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.security.conftest import Locate

#: Ways in which other systems spell a question about a field.
SPELLINGS = (
    "{}",
    "{}[startswith]",
    "{}[like]",
    "{}__startswith",
    "{}.eq",
    "filter[{}]",
    "filter[{}][startswith]",
    "filter[author][{}][like]",
    "author.{}",
    "author.{}[like]",
    "alias[x]={}&x",
)
#: Ways that lead elsewhere to a field of something else.
PATHS = (
    "fields=author.password_hash",
    "fields=author{password_hash}",
    "fields=author{email}",
    "fields=author{*,password_hash}",
    "fields=author{author{id}}",
    "fields=id,deletion{id}",
    "fields=x:password_hash",
    "fields[users]=password_hash",
    "alias[x]=password_hash",
    "include=author.*",
    "expand=author",
    "secretObj.apiKey=x",
)
#: Questions about many rows at once.
AGGREGATES = (
    "aggregate[min]=password_hash",
    "aggregate[countDistinct]=email",
    "min=password_hash",
    "count=password_hash",
    "distinct=password_hash",
    "group=password_hash",
    "groupBy[]=email",
    "having=1",
    "total=password_hash",
    "total=1",
)
#: Further spellings of an order.
ORDERS = (
    "-password_hash",
    "--created_at",
    "%2Bcreated_at",
    "+created_at",
    "created_at,email",
    "created_at%20desc",
    "author.email",
    "-author.password_hash",
    "random()",
    "1",
    "",
    "-",
)


@pytest.fixture
def lists(surface: list[Operation]) -> list[Operation]:
    """Every list there is, and how it is called by who may."""
    return [each for each in surface if each.is_list]


def ask(caller: FlaskClient, operation: Operation, query: str, locate: Locate) -> Any:
    """Ask a list of what is there."""
    return caller.get(f"{locate(operation)}?{query}")


class TestCase001:
    """A filter on a field that is hidden is refused as one that does not exist."""

    @pytest.mark.parametrize("role", ["anonymous", "author", "admin"])
    def test_case_001_hidden_fields_are_no_filters(
        self, callers: dict[str, FlaskClient], role: str, lists: list[Operation], existing: Locate
    ) -> None:
        wrong = {}
        for operation in lists:
            base = uniform(ask(callers[role], operation, f"{NOBODY}=a", existing), NOBODY)
            assert base[0] in {400, 401}
            for column in COLUMNS - set(operation.query):
                answer = ask(callers[role], operation, f"{column}=a", existing)
                if uniform(answer, column) != base:
                    wrong[str(operation), column] = answer.text
        assert wrong == {}

    def test_case_001_in_no_spelling(
        self, callers: dict[str, FlaskClient], lists: list[Operation], existing: Locate
    ) -> None:
        wrong = {}
        for operation in lists:
            for spelling in SPELLINGS[1:]:
                for column in sorted({"password_hash", "email", "token_version", "id"}):
                    query = spelling.format(column) + "=a"
                    answer = ask(callers["author"], operation, query, existing)
                    if answer.status_code != 400 or set(faults(answer).values()) != {"unknown"}:
                        wrong[str(operation), query] = answer.text
        assert wrong == {}


class TestCase002:
    """A sort by a field that is hidden is refused as one by a field that does not exist."""

    def test_case_002_hidden_fields_give_no_order(
        self, callers: dict[str, FlaskClient], lists: list[Operation], existing: Locate
    ) -> None:
        wrong = {}
        for operation in (each for each in lists if "sort" in each.query):
            allowed = {each.removeprefix("-") for each in operation.query["sort"]["enum"]}
            base = uniform(ask(callers["admin"], operation, f"sort={NOBODY}", existing))
            assert base[0] == 400
            for name in [*(COLUMNS - allowed), *ORDERS]:
                answer = ask(callers["admin"], operation, f"sort={name}", existing)
                if uniform(answer) != base:
                    wrong[str(operation), name] = answer.text
        assert wrong == {}


class TestCase003:
    """No path leads to a hidden field."""

    def test_case_003_paths_and_aliases(
        self, callers: dict[str, FlaskClient], lists: list[Operation], existing: Locate
    ) -> None:
        for query in PATHS:
            for operation in lists:
                answer = ask(callers["author"], operation, query, existing)
                assert (code(answer), answer.status_code) == ("validation", 400), operation
                assert "zq" not in answer.text


class TestCase004:
    """What finds people and posts looks only at what the caller may read."""

    @pytest.mark.parametrize("role", ["anonymous", "author"])
    def test_case_004_no_secret_is_found(
        self, callers: dict[str, FlaskClient], role: str, lists: list[Operation], existing: Locate
    ) -> None:
        for text in ("zq-secret@example.org", "zq-secret", "example.org", "$argon2id", "19456"):
            assert callers[role].get(f"/api/v1/users/by-username/{text}").status_code == 404
            for name in ("q", "author", "tag"):
                for operation in lists:
                    answer = ask(callers[role], operation, urlencode({name: text}), existing)
                    if name in operation.query and answer.status_code != 401:
                        assert ids(answer) == [], (operation, name)
                    else:
                        assert answer.status_code in {400, 401}, (operation, name)


class TestCase005:
    """Nothing is aggregated."""

    def test_case_005_aggregates(
        self, callers: dict[str, FlaskClient], lists: list[Operation], existing: Locate
    ) -> None:
        for query in AGGREGATES:
            for operation in lists:
                answer = ask(callers["admin"], operation, query, existing)
                assert (code(answer), answer.status_code) == ("validation", 400), operation


class TestCase007:
    """A mask shows what the schema shows, never an attribute of a model."""

    @pytest.fixture
    def masked(self, surface: list[Operation], existing: Locate) -> list[str]:
        """Return the URL of something for each read that takes a mask."""
        reads = [each for each in surface if "fields" in each.query and each.method == "GET"]
        assert len(reads) > 5
        return [existing(each) for each in reads]

    def test_case_007_everything_is_what_is_public(
        self, callers: dict[str, FlaskClient], masked: list[str]
    ) -> None:
        for url in masked:
            for role in ("anonymous", "author"):
                plain = callers[role].get(url)
                starred = callers[role].get(url, headers={"X-Fields": "{*}"})
                assert uniform(starred)[2] == uniform(callers[role].get(f"{url}?fields=*"))[2]
                assert starred.get_json() == plain.get_json() or plain.status_code >= 400
                assert "zq-secret" not in starred.text
                assert "argon2" not in starred.text

    def test_case_007_hidden_members_are_unknown(
        self, callers: dict[str, FlaskClient], masked: list[str]
    ) -> None:
        wrong = {}
        for url in masked:
            shown = callers["anonymous"].get(url).get_json()
            shown = shown.get("items", [shown])[0] if "items" in shown else shown
            for mask in ("{}", "*,{}", "id,{}"):
                base = uniform(callers["anonymous"].get(f"{url}?fields={mask.format(NOBODY)}"))
                for column in COLUMNS - set(shown):
                    answer = callers["anonymous"].get(f"{url}?fields={mask.format(column)}")
                    if answer.status_code < 400 or uniform(answer) != base:
                        wrong[url, mask, column] = answer.text
        assert wrong == {}

    def test_case_007_the_header_neither(
        self, callers: dict[str, FlaskClient], masked: list[str]
    ) -> None:
        for mask in ("__class__", "*,password_hash", "{password_hash}", "metadata", "id.__dict__"):
            for url in masked:
                answer = callers["author"].get(url, headers={"X-Fields": mask})
                assert code(answer) == "validation", url
                assert "password_hash" not in answer.text
