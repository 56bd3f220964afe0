"""What holds for every file: a first sentence, a page's length, nothing left undone."""

from __future__ import annotations

import ast
import re

import pytest

from tests.contract.sources import ROOT, files, text, tree

PYTHON = files("*.py")
SCRIPTS = tuple(
    name
    for name in files("*.js", "*.css", "*.sh", "scripts/*", ".ci/*", "Makefile")
    if not name.endswith(".py")
    and not re.search("/swagger-ui-|/vendor/", name)  # which are not ours
)
#: Words of things put off, written so that this file does not hold them.
UNDONE = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "X" * 3 + r"\b", "HA" + "CK")))
NAMELESS = re.compile(r"(^|/)(utils?|helpers?|misc|common)(\.py|/)")
MAX_FILE, MAX_FUNCTION = 400, 40


@pytest.mark.parametrize("name", PYTHON)
class TestFile:
    def test_begins_with_a_sentence_that_says_what_it_is(self, name: str) -> None:
        # when
        docstring = ast.get_docstring(tree(name))
        # then
        assert docstring, name
        first = docstring.split("\n\n")[0]
        assert re.search(r"[.:!]$", first.strip()), first

    def test_is_a_page(self, name: str) -> None:
        assert len(text(name).splitlines()) <= MAX_FILE

    def test_has_no_long_function(self, name: str) -> None:
        # when
        lengths = {
            f"{name}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
            for node in ast.walk(tree(name))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        # then
        assert {key: value for key, value in lengths.items() if value > MAX_FUNCTION} == {}

    def test_does_nothing_at_import_but_define(self, name: str) -> None:
        # given
        acts = (ast.For, ast.While, ast.With, ast.Try)
        # when
        found = [node.lineno for node in tree(name).body if isinstance(node, acts)]
        # then
        assert found == [] or name == "migrations/env.py"  # Alembic runs that file


@pytest.mark.parametrize("name", PYTHON + SCRIPTS)
def test_nothing_is_left_undone(name: str) -> None:
    assert UNDONE.findall(text(name)) == []


class TestTree:
    def test_has_no_room_for_what_has_no_name(self) -> None:
        # when
        nameless = [name for name in files() if NAMELESS.search(name)]
        # then
        assert nameless == []

    def test_scripts_can_be_executed(self) -> None:
        # when
        scripts = files(".ci/run", "scripts/*")
        # then
        assert [name for name in scripts if not (ROOT / name).stat().st_mode & 0o100] == []
