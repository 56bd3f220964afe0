"""The textbook app's factory: database, tokens, namespaces. Its resources are in posts.py."""

from __future__ import annotations

import os

from flask import Flask
from flask_jwt_extended import JWTManager
from flask_restx import Api

from bench.textbook import auth, posts
from bench.textbook.models import db
from models.engine import database_url


def create_app() -> Flask:
    """Build the app from ``DATABASE_URL`` and ``SECRET_KEY``."""
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url(os.environ["DATABASE_URL"])
    app.config["JWT_SECRET_KEY"] = os.environ["SECRET_KEY"]
    db.init_app(app)
    JWTManager(app)
    api = Api(app, title="Textbook", prefix="/api")
    api.add_namespace(posts.ns, path="/posts")
    api.add_namespace(auth.ns, path="/auth")
    return app
