"""The signing keys: made once, rotated without a gap, noticed by every process."""

from __future__ import annotations

import base64
import json
import multiprocessing
import stat
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from services import keys
from services.keys import FixedKeys, KeyFault, KeyStore, open_keys

SEEDS = tuple(base64.urlsafe_b64encode(bytes([n]) * 32).decode().rstrip("=") for n in (1, 2))


class Time:
    """Both clocks of the module; they go only when told to."""

    def __init__(self) -> None:
        self.passed = 1_000_000.0

    def time(self) -> float:
        return self.passed

    def monotonic(self) -> float:
        return self.passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr(keys, "time", SimpleNamespace(time=fake.time, monotonic=fake.monotonic))
    return fake


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "jwt-keys.json"


def _first_kid(path: str) -> str:
    return KeyStore(Path(path)).ring().signing().kid


class TestStore:
    def test_makes_one_key_that_only_its_owner_may_read(self, path: Path) -> None:
        # when
        ring = KeyStore(path).ring()
        # then
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(ring.jwks()["keys"]) == 1
        assert list(path.parent.glob("*json?*")) == []

    def test_finds_the_same_key_again(self, path: Path) -> None:
        assert KeyStore(path).ring().signing() == KeyStore(path).ring().signing()

    def test_made_by_several_processes_at_once_is_one(self, path: Path) -> None:
        # when
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            kids = pool.map(_first_kid, [str(path)] * 8, chunksize=1)
        # then
        assert len(set(kids)) == 1

    @pytest.mark.parametrize("text", ["", "{}", '{"keys": []}', '{"keys": [{"seed": "x"}]}', "[1]"])
    def test_does_not_start_with_a_damaged_file(self, path: Path, text: str) -> None:
        # given
        path.parent.mkdir()
        path.write_text(text)
        # then
        with pytest.raises(KeyFault):
            KeyStore(path)
        assert path.read_text() == text

    def test_goes_on_when_the_file_is_damaged_later(
        self, path: Path, clock: Time, caplog: pytest.LogCaptureFixture
    ) -> None:
        # given
        store = KeyStore(path)
        kid = store.ring().signing().kid
        # when
        path.write_text("{")
        clock.passed += 1
        # then
        assert store.ring().signing().kid == kid
        assert "cannot be read" in caplog.text


class TestRotate:
    def test_publishes_the_new_key_at_once_and_signs_with_it_later(
        self, path: Path, clock: Time
    ) -> None:
        # given
        store = KeyStore(path)
        old = store.ring().signing()
        # when
        new = store.rotate()
        # then
        assert [each["kid"] for each in store.ring().jwks()["keys"]] == [old.kid, new.kid]
        assert store.ring().signing() == old
        clock.passed += keys.JWKS_TTL
        assert store.ring().signing() == new

    def test_now_signs_with_the_new_key_at_once(self, path: Path, clock: Time) -> None:
        # given
        store = KeyStore(path)
        old = store.ring().signing()
        # when
        new = store.rotate(now=True)
        # then
        assert store.ring().signing() == new != old
        assert store.ring().verifying(old.kid) == old

    def test_lets_the_old_key_verify_until_its_tokens_are_dead(
        self, path: Path, clock: Time
    ) -> None:
        # given
        store = KeyStore(path)
        old = store.ring().signing()
        new = store.rotate(now=True)
        # when
        clock.passed += 900 + 60
        # then
        assert store.ring().verifying(old.kid) == old
        clock.passed += 120
        assert store.ring().verifying(old.kid) is None
        assert [each["kid"] for each in store.ring().jwks()["keys"]] == [new.kid]

    def test_drops_dead_keys_from_the_file(self, path: Path, clock: Time) -> None:
        # given
        store = KeyStore(path)
        store.rotate(now=True)
        clock.passed += 2_000
        # when
        store.rotate()
        # then
        assert len(json.loads(path.read_bytes())["keys"]) == 2

    def test_is_noticed_by_others_within_a_second(self, path: Path, clock: Time) -> None:
        # given
        here, there = KeyStore(path), KeyStore(path)
        new = there.rotate(now=True)
        assert here.ring().signing() != new
        # when
        clock.passed += 1
        # then
        assert here.ring().signing() == new

    def test_is_noticed_sooner_by_who_meets_the_new_key(self, path: Path, clock: Time) -> None:
        # given
        here, there = KeyStore(path), KeyStore(path)
        new = there.rotate(now=True)
        # when
        clock.passed += 0.2
        # then
        assert here.ring().verifying(new.kid) is None
        assert here.ring(unknown=new.kid).verifying(new.kid) == new

    def test_does_not_look_at_the_file_each_time(
        self, path: Path, clock: Time, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # given
        store = KeyStore(path)
        looked = Mock(wraps=keys._stamp)
        monkeypatch.setattr(keys, "_stamp", looked)
        # when
        for _ in range(100):
            store.ring(unknown="forged")
            clock.passed += 0.01
        # then
        assert 1 <= looked.call_count <= 10


class TestFixed:
    def test_signs_with_the_first_and_verifies_with_all(self) -> None:
        # when
        ring = FixedKeys(SEEDS).ring()
        # then
        first, second = (keys.Key(seed) for seed in SEEDS)
        assert ring.signing().kid == first.kid
        assert [each["kid"] for each in ring.jwks()["keys"]] == [first.kid, second.kid]
        assert ring.verifying(second.kid)

    def test_is_not_rotated_here(self) -> None:
        with pytest.raises(KeyFault, match="JWT_KEYS"):
            FixedKeys(SEEDS).rotate()

    @pytest.mark.parametrize("seed", ["", "x", "AAAA", SEEDS[0][:-2], "!" * 43])
    def test_refuses_what_is_no_seed_without_showing_it(self, seed: str) -> None:
        # when
        with pytest.raises(KeyFault) as refused:
            FixedKeys([seed])
        # then
        assert not seed or seed not in str(refused.value)

    def test_is_chosen_by_the_setting(self, tmp_path: Path) -> None:
        # when
        chosen = open_keys(SEEDS, tmp_path), open_keys((), tmp_path)
        # then
        assert [type(each) for each in chosen] == [FixedKeys, KeyStore]


class TestKey:
    def test_is_named_by_its_thumbprint(self) -> None:
        # given RFC 8037, appendix A.3
        seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
        # then
        assert keys.Key(seed).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

    def test_shows_no_secret(self) -> None:
        # given
        key = keys.Key(SEEDS[0])
        # then
        assert SEEDS[0] not in repr(key)
        assert "d" not in key.jwk
