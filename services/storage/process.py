"""What is made once for each process of the same settings: connections and locks are not shared."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

from config import Config

T = TypeVar("T")


def once_a_process(make: Callable[[Config], T]) -> Callable[[Config], T]:
    """Decorate what makes something of settings, so that a fork makes its own."""

    @lru_cache(maxsize=8)
    def made(config: Config, _process: int) -> T:
        return make(config)

    @wraps(make)
    def of(config: Config) -> T:
        return made(config, os.getpid())

    return of
