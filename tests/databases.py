"""The databases that tests run on: those of the kit for authors, signpost/contract/databases.py."""

from __future__ import annotations

from signpost.contract.databases import (
    BACKENDS,
    clean,
    connect,
    postgresql_databases,
    sqlite_databases,
)

__all__ = ["BACKENDS", "clean", "connect", "postgresql_databases", "sqlite_databases"]
