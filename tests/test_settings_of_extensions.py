"""Settings of extensions: read, parsed, checked and refused as the core's own are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import config_rules as rules
from api import settings
from config import Config, ConfigError, read_settings, setting
from tests.packages import install

SECRET = "a key that nobody will ever guess, 42"
Install = Callable[..., object]


@dataclass(frozen=True, kw_only=True)
class People:
    """What an author declares, one setting of each kind."""

    PAGE_SIZE: int = setting(20, "People on a page.", rules.between(1, 100))
    GREETING: str = setting("Hello", "What they are told.")
    RATE: float = setting(1.5, "Greetings a second.")
    LOUD: bool = setting(False, "Whether it is shouted.")
    FOLDER: Path | None = setting(None, "Folder of pictures. Unset: none.")  # noqa: RUF009
    NAMES: tuple[str, ...] = setting(("ada", "bob"), "Who is greeted.")
    NICKNAME: str | None = setting(None, "Of the one who greets.")
    KEY: str = setting("", "Of the door.", rules.long_if_set, secret=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def installed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Install:
    """``installed("people")``: packages that bring extensions of these names."""
    site = tmp_path_factory.mktemp("site")
    monkeypatch.syspath_prepend(site)

    def installed(*names: str) -> None:
        for name in names:
            install(site, f"x-{name}", "", {"signpost.extensions": {name: "create"}})

    return installed


def read(**environ: str) -> People:
    return read_settings(People, "people", environ)


def faults_of(**environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(**environ)
    assert caught.value.code == 2
    return [fault.partition(":")[0] for fault in caught.value.faults]


class TestReading:
    def test_needs_no_environment_at_all(self) -> None:
        assert read() == People()

    def test_parses_every_kind(self) -> None:
        found = read(
            PEOPLE_PAGE_SIZE="5",
            PEOPLE_GREETING=" Hi ",
            PEOPLE_RATE="0.25",
            PEOPLE_LOUD="on",
            PEOPLE_FOLDER="pictures",
            PEOPLE_NAMES="eve, , zoë",
            PEOPLE_NICKNAME="z",
        )
        assert (found.PAGE_SIZE, found.GREETING, found.RATE, found.LOUD) == (5, "Hi", 0.25, True)
        assert (Path("pictures"), ("eve", "zoë")) == (found.FOLDER, found.NAMES)
        assert found.NICKNAME == "z"

    def test_takes_the_environment_over_the_file(self, folder: Path) -> None:
        (folder / ".env").write_text("PEOPLE_PAGE_SIZE=1\nPEOPLE_GREETING=Hey\nPORT=9\n")
        found = read(PEOPLE_PAGE_SIZE="2")
        assert (found.PAGE_SIZE, found.GREETING) == (2, "Hey")

    def test_takes_names_without_the_prefix_for_others(self) -> None:
        assert read(PAGE_SIZE="7", PEOPLEPAGE_SIZE="7") == People()

    def test_shows_no_secret(self) -> None:
        assert "hush" not in repr(read(PEOPLE_KEY="hush" * 4))


class TestRefusing:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PEOPLE_PAGE_SIZE", "x"),
            ("PEOPLE_PAGE_SIZE", "101"),
            ("PEOPLE_RATE", "nan"),
            ("PEOPLE_RATE", "1e3"),
            ("PEOPLE_LOUD", "very"),
            ("PEOPLE_KEY", "short"),
        ],
    )
    def test_names_the_setting(
        self, name: str, value: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert faults_of(**{name: value}) == [name]
        assert len(capsys.readouterr().err.splitlines()) == 1

    def test_tells_no_secret(self, capsys: pytest.CaptureFixture[str]) -> None:
        faults_of(PEOPLE_KEY="hush")
        assert "hush" not in capsys.readouterr().err

    def test_lists_every_fault(self) -> None:
        assert faults_of(PEOPLE_PAGE_SIZE="x", PEOPLE_LOUD="y") == [
            "PEOPLE_PAGE_SIZE",
            "PEOPLE_LOUD",
        ]

    def test_of_a_field_that_is_not_declared_is_its_authors_fault(self) -> None:
        @dataclass(frozen=True)
        class Plain:
            SIZE: int = field(default=1)

        with pytest.raises(TypeError, match=r"Plain\.SIZE"):
            read_settings(Plain, "people", {})

    def test_of_a_type_that_cannot_be_read(self) -> None:
        @dataclass(frozen=True)
        class Odd:
            SIZE: complex = setting(1j, "Odd.")

        with pytest.raises(TypeError, match=r"Odd\.SIZE"):
            read_settings(Odd, "people", {})

    def test_of_a_name_that_the_core_has(self) -> None:
        @dataclass(frozen=True)
        class Greedy:
            JSON_BYTES: int = setting(1, "Greedy.")

        with pytest.raises(TypeError, match="MAX_JSON_BYTES"):
            read_settings(Greedy, "max", {})


class TestFile:
    """What ``.env`` may hold depends on what is installed."""

    def test_of_an_installed_extension_is_left_to_it(
        self, folder: Path, installed: Install
    ) -> None:
        installed("people")
        (folder / ".env").write_text("PEOPLE_PAGE_SIZE=7\nPORT=9\n")
        assert Config.from_env({"SECRET_KEY": SECRET}).PORT == 9
        assert read().PAGE_SIZE == 7

    def test_of_one_that_is_not_installed_is_no_setting(self, folder: Path) -> None:
        (folder / ".env").write_text("PEOPLE_PAGE_SIZE=7\n")
        with pytest.raises(ConfigError) as caught:
            Config.from_env({"SECRET_KEY": SECRET})
        assert caught.value.faults == ["PEOPLE_PAGE_SIZE: there is no such setting (.env)"]

    def test_is_told_what_the_extension_does_not_declare(
        self, folder: Path, installed: Install
    ) -> None:
        installed("people")
        (folder / ".env").write_text("PEOPLE_PAGESIZE=7\n")
        Config.from_env({"SECRET_KEY": SECRET})
        assert faults_of() == ["PEOPLE_PAGESIZE"]

    def test_belongs_to_the_longest_name(self, folder: Path, installed: Install) -> None:
        installed("people", "people_more")
        (folder / ".env").write_text("PEOPLE_MORE_TEA=on\nPEOPLE_LOUD=on\n")
        Config.from_env({"SECRET_KEY": SECRET})
        assert read().LOUD is True

    @pytest.mark.parametrize("value", ["People", "people,v-1", "ü"])
    def test_names_of_disabled_ones_are_names(self, value: str) -> None:
        with pytest.raises(ConfigError) as caught:
            Config.from_env({"SECRET_KEY": SECRET, "EXTENSIONS_DISABLED": value})
        assert caught.value.faults[0].startswith("EXTENSIONS_DISABLED: ")

    def test_disabled_ones_are_a_list(self) -> None:
        found = Config.from_env({"SECRET_KEY": SECRET, "EXTENSIONS_DISABLED": "people, v2"})
        assert found.EXTENSIONS_DISABLED == ("people", "v2")


class TestDocumentation:
    def test_has_a_section_for_each(self) -> None:
        sample, table = settings.example({"people": People}), settings.table({"people": People})
        assert sample.startswith(settings.example())
        assert "# People on a page.\n#PEOPLE_PAGE_SIZE=20\n" in sample
        assert "#PEOPLE_NAMES=ada,bob\n" in sample
        assert table.startswith(settings.table())
        assert "### people\n" in table
        assert "| `PEOPLE_PAGE_SIZE` | `20` | People on a page. |\n" in table

    def test_of_the_sample_is_accepted(self, folder: Path, installed: Install) -> None:
        installed("people")
        sample = settings.example({"people": People})
        lines = [line.lstrip("#") for line in sample.splitlines() if "=" in line]
        (folder / ".env").write_text("\n".join(line for line in lines if line[0].isupper()))
        Config.from_env({"SECRET_KEY": SECRET})
        assert read() == People()
