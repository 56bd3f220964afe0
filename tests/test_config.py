"""Settings: what is read, what is refused, and that the documentation names each."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from api import settings
from config import Config, ConfigError, made_once

ROOT = Path(__file__).parents[1]
SECRET = "a key that nobody will ever guess, 42"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(**environ: str) -> Config:
    return Config.from_env({"SECRET_KEY": SECRET, **environ})


def faults_of(**environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(**environ)
    assert caught.value.code == 2
    return [fault.partition(":")[0] for fault in caught.value.faults]


class TestDefaults:
    def test_need_no_environment_at_all(self, folder: Path) -> None:
        config = Config.from_env({})
        assert (config.HOST, config.PORT, config.ENV) == ("127.0.0.1", 8000, "production")
        assert f"sqlite:///{folder}/instance/signpost.sqlite" == config.DATABASE_URL
        assert config.WORKERS >= 1

    def test_make_the_secret_once(self, folder: Path) -> None:
        first, second = Config.from_env({}), Config.from_env({})
        assert len(first.SECRET_KEY) >= 32
        assert first.SECRET_KEY == second.SECRET_KEY
        assert (folder / "instance/secret-key").stat().st_mode & 0o777 == 0o600

    def test_hold_for_what_is_set_to_nothing(self) -> None:
        assert read(PORT="", LOG_LEVEL=" ", CORS_ORIGINS="").PORT == 8000


class TestReading:
    def test_takes_the_environment_over_the_file(self, folder: Path) -> None:
        (folder / ".env").write_text("PORT=1\nTHREADS=7  # comment\nADMIN_USERNAME='a-b'\n")
        config = read(PORT="2")
        assert (config.PORT, config.THREADS, config.ADMIN_USERNAME) == (2, 7, "a-b")

    def test_keeps_a_dollar_in_a_password(self, folder: Path) -> None:
        (folder / ".env").write_text("ADMIN_PASSWORD=a ${HOME} b $c\n")
        assert read().ADMIN_PASSWORD == "a ${HOME} b $c"

    def test_makes_paths_absolute(self, folder: Path) -> None:
        config = read(DATA_DIR="data", DATABASE_URL="sqlite:///my.db?cache=shared")
        assert folder / "data" == config.DATA_DIR
        assert f"sqlite:///{folder}/my.db?cache=shared" == config.DATABASE_URL

    def test_parses_every_kind(self) -> None:
        config = read(RATE_LIMITS="off", CORS_ORIGINS="https://a.example, http://b.example:81")
        assert config.RATE_LIMITS is False
        assert config.CORS_ORIGINS == ("https://a.example", "http://b.example:81")

    @pytest.mark.parametrize(
        ("url", "prefix", "hosts"),
        [
            ("", "", set()),
            ("https://Example.org", "", {"example.org"}),
            ("https://example.org/blog/", "/blog", {"example.org"}),
            ("http://[::1]:8000/a/b", "/a/b", {"[::1]:8000"}),
        ],
    )
    def test_derives_prefix_and_hosts(self, url: str, prefix: str, hosts: set[str]) -> None:
        config = read(PUBLIC_URL=url)
        assert (config.prefix, set(config.hosts)) == (prefix, hosts)

    @pytest.mark.parametrize("size", [43, 44])
    def test_takes_keys_with_and_without_padding(self, size: int) -> None:
        key = "A" * 43 + "=" * (size - 43)
        assert (key, key) == read(JWT_KEYS=f"{key}, {key}").JWT_KEYS

    def test_shows_no_secret(self) -> None:
        config = read(ADMIN_PASSWORD="hush hush", DATABASE_URL="postgres://a:hush@h/d")
        assert "hush" not in repr(config)
        assert SECRET not in repr(config)


class TestRefusing:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "x"),
            ("PORT", "0"),
            ("PORT", "65536"),
            ("PORT", "8_0"),
            ("PORT", "٨٠"),
            ("ENV", "prod"),
            ("REGISTRATION", "maybe"),
            ("RATE_LIMITS", "maybe"),
            ("LOG_FORMAT", "xml"),
            ("LOG_LEVEL", "loud"),
            ("WORKERS", "-1"),
            ("TRUSTED_PROXIES", "*"),
            ("DRAIN_DELAY", "6"),
            ("DATABASE_URL", "mysql://localhost/x"),
            ("DATABASE_URL", "sqlite://"),
            ("DATABASE_URL", "sqlite:///"),
            ("DATABASE_URL", "sqlite:///?cache=shared"),
            ("DATABASE_URL", "postgresql://ada@localhost:port/signpost"),
            ("SENTRY_DSN", "sentry.example.org"),
            ("SENTRY_DSN", "https://sentry.example.org/1"),
            ("SENTRY_DSN", "https://key@sentry.example.org"),
            ("SECRET_KEY", "x" * 31),
            ("SECRET_KEY", "change-me-change-me-change-me-change-me"),
            ("SECRET_KEY", "your-secret-key-goes-here-0123456789"),
            ("SECRET_KEY", "<put a long random text of yours here>"),
            ("JWT_KEYS", "c2hvcnQ"),
            ("PASSWORD_BLOCKLIST", "missing.txt"),
            ("METRICS_TOKEN", "short"),
            ("PUBLIC_URL", "example.org"),
            ("PUBLIC_URL", "ftp://example.org"),
            ("PUBLIC_URL", "https://ada:pw@example.org"),
            ("PUBLIC_URL", "https://example.org/a?b"),
            ("PUBLIC_URL", "https://example.org//a"),
            ("PUBLIC_URL", "https://example.org:port"),
            ("ALLOWED_HOSTS", "*"),
            ("ALLOWED_HOSTS", "https://example.org"),
            ("CORS_ORIGINS", "*"),
            ("CORS_ORIGINS", "null"),
            ("CORS_ORIGINS", "https://*.example.org"),
            ("CORS_ORIGINS", r"https://.*\.example\.org"),
            ("CORS_ORIGINS", "https://example.org/"),
            ("CORS_ORIGINS", "https://Example.org"),
            ("CORS_ORIGINS", "https://good.example,example.org"),
            ("DEBUG", "1"),
        ],
    )
    def test_names_the_setting(self, name: str, value: str) -> None:
        assert faults_of(**{name: value}) == [name]

    def test_lists_every_fault(self) -> None:
        assert faults_of(ENV="x", CORS_ORIGINS="*", METRICS_TOKEN="x") == [
            "ENV",
            "CORS_ORIGINS",
            "METRICS_TOKEN",
        ]

    def test_tells_no_secret(self, capsys: pytest.CaptureFixture[str]) -> None:
        faults_of(JWT_KEYS="hush", METRICS_TOKEN="hush", DATABASE_URL="hush://u:hush@h/d")
        assert "hush" not in capsys.readouterr().err

    def test_knows_no_other_name_in_the_file(self, folder: Path) -> None:
        (folder / ".env").write_text("PROT=80\n")
        assert faults_of() == ["PROT"]

    @pytest.mark.parametrize("text", ["PORT", "just words", "PORT='1\n"])
    def test_names_the_line_of_the_file(self, folder: Path, text: str) -> None:
        (folder / ".env").write_text(f"THREADS=2\n{text}\n")
        assert faults_of()[0].startswith(".env, line 2")

    def test_reads_no_file_that_is_not_utf8(self, folder: Path) -> None:
        (folder / ".env").write_bytes(b"PORT=\xff\n")
        assert faults_of() == [".env"]

    def test_names_a_folder_that_cannot_be_made(self, folder: Path) -> None:
        (folder / "file").touch()
        with pytest.raises(ConfigError) as caught:
            Config.from_env({"DATA_DIR": "file/data"})
        assert caught.value.faults[0].startswith("DATA_DIR:")

    @pytest.mark.parametrize("command", [["-m", "api.serve"], ["-m", "flask", "doctor"]])
    def test_ends_the_process_with_one_line(self, folder: Path, command: list[str]) -> None:
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "PORT": "x", "FLASK_APP": "wsgi"}
        done = subprocess.run(
            [sys.executable, *command], env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr == "PORT: 'x' is not a whole number\n"
        assert done.stdout == ""
        assert list(folder.iterdir()) == []


class TestMadeOnce:
    def test_keeps_what_another_process_made_meanwhile(self, folder: Path) -> None:
        path = folder / "new/secret"

        def too_late() -> str:
            path.write_text("theirs")
            return "ours"

        assert made_once(path, too_late) == "theirs"
        assert list(path.parent.iterdir()) == [path]


class TestDocumentation:
    def test_has_every_setting_in_the_sample(self) -> None:
        assert (ROOT / ".env.example").read_text() == settings.example()

    def test_has_every_setting_in_its_table(self) -> None:
        assert settings.table() in (ROOT / "docs/operations.md").read_text()

    def test_of_the_sample_is_accepted(self, folder: Path) -> None:
        lines = [line.lstrip("#") for line in settings.example().splitlines() if "=" in line]
        (folder / ".env").write_text("\n".join(line for line in lines if line[0].isupper()))
        config = Config.from_env({})
        assert config == Config(SECRET_KEY=config.SECRET_KEY)
        assert len((folder / ".env").read_text().splitlines()) == len(fields(Config))


class TestLater:
    def test_settings_of_later_parts_may_stand_in_the_file(self, folder: Path) -> None:
        (folder / ".env").write_text("REDIS_URL=redis://localhost\nHISTORY_RETENTION=1\nPORT=9\n")
        assert read().PORT == 9

    @pytest.mark.parametrize(
        ("name", "value"),
        [("ADMIN_USERNAME", "a b"), ("ADMIN_EMAIL", "nobody"), ("ADMIN_PASSWORD", "short")],
    )
    def test_the_first_admin_is_checked_at_every_start(self, name: str, value: str) -> None:
        with pytest.raises(ConfigError) as refused:
            read(**{name: value})
        assert [fault.split(":")[0] for fault in refused.value.faults] == [name]
