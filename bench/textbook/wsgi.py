"""The textbook app's WSGI entry point."""

from __future__ import annotations

from bench.textbook.app import create_app

app = create_app()
