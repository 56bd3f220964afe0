"""Passwords: what a hash distinguishes, what it costs, which passwords are refused."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from services import passwords
from services.errors import Invalid, Unavailable


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> passwords.Settings:
    """Settings that only this test has."""
    own = passwords.Settings()
    monkeypatch.setattr(passwords, "settings", own)
    return own


class TestHash:
    def test_is_argon2id_of_the_declared_cost(self) -> None:
        # when
        stored = passwords.hash("a long way")
        # then
        assert stored.startswith("$argon2id$v=19$m=19456,t=3,p=1$")
        assert not passwords.is_outdated(stored)

    def test_is_another_one_each_time(self) -> None:
        assert passwords.hash("a long way") != passwords.hash("a long way")

    def test_of_weaker_parameters_is_outdated(self) -> None:
        assert passwords.is_outdated("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo")


class TestVerify:
    def test_tells_right_from_wrong(self) -> None:
        # given
        stored = passwords.hash("a long way")
        # then
        assert passwords.verify(stored, "a long way")
        assert not passwords.verify(stored, "A long way")

    def test_does_not_trim(self) -> None:
        # given
        stored = passwords.hash(" a long way ")
        # then
        assert passwords.verify(stored, " a long way ")
        assert not passwords.verify(stored, "a long way")

    def test_looks_beyond_72_bytes(self) -> None:
        # given
        stored = passwords.hash("x" * 72 + "a")
        # then
        assert not passwords.verify(stored, "x" * 72 + "b")

    def test_takes_both_ways_of_writing_an_accent(self) -> None:
        assert passwords.verify(passwords.hash("caf\u00e9 noir"), "cafe\u0301 noir")

    @pytest.mark.parametrize("stored", [None, "", "!", "$argon2id$damaged"])
    def test_without_a_hash_is_false(self, stored: str | None) -> None:
        assert not passwords.verify(stored, "a long way")

    def test_costs_the_same_without_a_hash(self) -> None:
        # given
        stored = passwords.hash("a long way")
        costs: dict[str | None, list[float]] = {None: [], stored: []}
        # when
        for _ in range(12):
            for known, spent in costs.items():
                start = time.thread_time()
                passwords.verify(known, "a wrong way")
                spent.append(time.thread_time() - start)
        # then
        assert min(costs[None]) == pytest.approx(min(costs[stored]), rel=0.25)

    def test_that_waits_too_long_for_its_turn_is_unavailable(
        self, settings: passwords.Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        settings.slots = threading.BoundedSemaphore(1)
        monkeypatch.setattr(passwords, "QUEUE_TIMEOUT", 0.01)
        # when
        with settings.slots, pytest.raises(Unavailable) as refused:
            passwords.verify(None, "a long way")
        # then
        assert refused.value.retry_after == 1
        assert not passwords.verify(None, "a long way")


class TestPolicy:
    @pytest.mark.parametrize("text", ["password1", "PASSWORD1", "Iloveyou", "jennifer", "football"])
    def test_refuses_the_commonest_whatever_the_case(self, text: str) -> None:
        # when
        with pytest.raises(Invalid) as refused:
            passwords.check(text, "new_password")
        # then
        assert [(each.field, each.code) for each in refused.value.faults] == [
            ("new_password", "too_common")
        ]

    @pytest.mark.parametrize(
        ("text", "code"), [("x" * 7, "too_short"), ("xy" * 513, "too_long"), ("", "too_short")]
    )
    def test_refuses_by_length(self, text: str, code: str) -> None:
        assert [each.code for each in passwords.faults(text)] == [code]

    @pytest.mark.parametrize("text", ["tipperary road", "xy" * 512, "\U0001f600" * 8, "        "])
    def test_takes_the_rest(self, text: str) -> None:
        assert passwords.faults(text) == []

    def test_may_be_off(self, settings: passwords.Settings) -> None:
        # when
        settings.configure(blocklist=Path("off"))
        # then
        assert not passwords.is_common("password1")

    def test_may_be_another_list(self, settings: passwords.Settings, tmp_path: Path) -> None:
        # given
        path = tmp_path / "words.txt"
        path.write_text("Signpost\n\ntipperary\n")
        # when
        settings.configure(blocklist=path)
        # then
        assert passwords.is_common("signPOST")
        assert not passwords.is_common("password1")
