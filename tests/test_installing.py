"""What ``python -m scripts.extensions`` has pip do, and when it has nothing to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import extensions

Install = Callable[..., list[tuple[str, ...]]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with three extensions, of which one has a lock file."""
    _declare(tmp_path, "signpost-backend")
    for name in ("calculator", "hello_rest", "frames"):
        _declare(tmp_path / "extensions" / name, f"signpost-{name}")
    (tmp_path / "extensions/frames/requirements.txt").write_text("numpy==2.4.6\n")
    (tmp_path / "extensions/leftover").mkdir()
    monkeypatch.setattr(extensions, "ROOT", tmp_path)
    monkeypatch.setattr(extensions, "STAMPS", tmp_path / "stamps")
    return tmp_path


@pytest.fixture
def install(root: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """``install("calculator")``: what pip was told, with names instead of folders."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(extensions, "_pip", lambda *words: told.append(words))

    def install(*words: str) -> list[tuple[str, ...]]:
        told.clear()
        extensions.main(list(words))
        short = {str(root): ".", str(root / "extensions/frames/requirements.txt"): "lock"}
        return [tuple(short.get(word, word.split("/")[-1]) for word in call) for call in told]

    return install


def _declare(folder: Path, distribution: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pyproject.toml"
    path.write_text(f'[project]\nname = "{distribution}"\n')
    os.utime(path, (1_000_000_000, 1_000_000_000))


def _editable(calls: list[tuple[str, ...]]) -> set[str]:
    """Return the folders that were installed."""
    return {call[at + 1] for call in calls for at, word in enumerate(call) if word == "-e"}


class TestFirstTime:
    def test_installs_the_project_and_all_but_the_large_one(self, install: Install) -> None:
        # when
        calls = install()
        # then
        assert _editable(calls) == {".", "calculator", "hello_rest"}
        assert all({"--no-deps", "--no-build-isolation"} <= set(call) for call in calls)

    def test_installs_what_is_named(self, install: Install) -> None:
        assert _editable(install("calculator")) == {".", "calculator"}

    def test_installs_all(self, install: Install) -> None:
        assert _editable(install("all")) == {".", "calculator", "hello_rest", "frames"}

    def test_installs_the_project_alone(self, install: Install) -> None:
        assert _editable(install("none")) == {"."}

    def test_installs_what_an_extension_pins_before_itself(self, install: Install) -> None:
        # when
        calls = install("frames")
        # then
        assert calls[1] == ("install", "--require-hashes", "-r", "lock")
        assert "frames" in calls[2]

    def test_refuses_a_name_that_is_not_there(self, install: Install, root: Path) -> None:
        # when
        with pytest.raises(SystemExit) as ended:
            install("calculator", "leftover")
        # then
        assert "leftover; there are calculator, frames, hello_rest" in str(ended.value)
        assert not (root / "stamps").exists()


class TestAgain:
    def test_does_nothing(self, install: Install) -> None:
        # given
        install("calculator", "frames")
        # then
        assert install("calculator", "frames") == []

    @pytest.mark.parametrize("changed", ["pyproject.toml", "requirements.txt"])
    def test_installs_what_changed(self, install: Install, root: Path, changed: str) -> None:
        # given
        install("calculator", "frames")
        # when
        os.utime(root / "extensions/frames" / changed, (4_000_000_000, 4_000_000_000))
        # then
        assert _editable(install("calculator", "frames")) == {"frames"}

    def test_installs_the_project_whose_entry_points_changed(
        self, install: Install, root: Path
    ) -> None:
        # given
        install("calculator")
        # when
        os.utime(root / "pyproject.toml", (4_000_000_000, 4_000_000_000))
        # then
        assert _editable(install("calculator")) == {"."}

    def test_removes_what_is_named_no_more(self, install: Install) -> None:
        # given
        install("calculator", "hello_rest")
        # then
        assert install("calculator") == [("uninstall", "--yes", "signpost-hello_rest")]
        assert install("calculator") == []
        assert _editable(install("calculator", "hello_rest")) == {"hello_rest"}

    def test_goes_on_where_it_was_broken_off(
        self, install: Install, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        def broken(*words: str) -> None:
            raise SystemExit(1)

        with monkeypatch.context() as context:
            context.setattr(extensions, "_pip", broken)
            with pytest.raises(SystemExit):
                extensions.main(["calculator"])
        # then
        assert _editable(install("calculator")) == {".", "calculator"}
