"""The WSGI entry point: ``app``, for ``flask`` and for servers other than ``make run``'s."""

from api.app import create_app
from config import Config

app = create_app(Config.from_env())
