"""Everything that an extension of Signpost imports; docs/extending.md explains it.

What is listed here stays as it is within a major version.
"""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from structlog import get_logger

from api import arguments, fields
from api.access import access
from api.auth import issue
from api.authoring import Namespace, Resource, abort
from api.fields import patch_of
from api.input import check_body, read_json
from api.item import Item
from api.operating import (
    OPERATOR,
    current_config,
    current_session,
    fail,
    operation,
    with_appcontext,
    write,
)
from api.output import plan
from api.parsers import RequestParser
from api.posts import author
from api.resource import Collection, Endpoint, Listing, expose
from api.spec import ByRole, Spec
from config import setting
from config_rules import between, one_of
from signpost import models, services

logger = get_logger("signpost.extension")

__all__ = [
    "OPERATOR",
    "Blueprint",
    "ByRole",
    "Collection",
    "Endpoint",
    "Item",
    "Listing",
    "Namespace",
    "RequestParser",
    "Resource",
    "Spec",
    "abort",
    "access",
    "arguments",
    "author",
    "between",
    "check_body",
    "current_config",
    "current_session",
    "expose",
    "fail",
    "fields",
    "issue",
    "jsonify",
    "logger",
    "models",
    "one_of",
    "operation",
    "patch_of",
    "plan",
    "read_json",
    "request",
    "services",
    "setting",
    "with_appcontext",
    "write",
]
