"""/api/hello_rest: a greeting, and one for each name, in the language that one asks for."""

from __future__ import annotations

from typing import Any

from signpost import Namespace, RequestParser, Resource, arguments, fields, services

GREETINGS = {"en": "Hello", "de": "Hallo", "es": "Hola"}


class Language(arguments.Choice):
    """A language that there is a greeting in."""

    def __call__(self, text: str) -> str:
        """Return its name.

        Raises:
            Refused: there is none.
        """
        if text not in self.names:
            raise arguments.Refused("choice", f"invalid language: {text[:40]}")
        return text


def told(problem: dict[str, Any]) -> dict[str, Any]:
    """Say in ``detail`` of a problem what is wrong first."""
    first = next(iter(problem.get("errors", ())), None)
    return problem | {"detail": first["message"]} if first else problem


ns = Namespace("Hello", description="Greetings in three languages.", shape=told)

greeting = ns.model(
    "Greeting", {"message": fields.String(required=True, example="Hallo Grace Hopper")}
)

#: What is read may be repeated; what is offered may not.
LANG: dict[str, Any] = {"type": Language(tuple(GREETINGS)), "action": "append", "default": ["en"]}
OFFERED = {"type": "string", "enum": [*GREETINGS], "default": "en", "description": "The language."}
NAME = {"description": "Any text, slashes too.", "x-example": "Grace Hopper"}

no_query = RequestParser()
in_query = RequestParser().add_argument("lang", **LANG)
in_form = RequestParser().add_argument("lang", **LANG).add_argument("lang", location="form", **LANG)


@ns.route("")
class Hello(Resource):
    access = "anyone"

    @ns.response(200, "A greeting", greeting)
    def get(self) -> dict[str, str]:
        """Greet"""
        no_query.parse_args()
        return {"message": "Hello Rest"}


@ns.route("/greet/<path:name>")
@ns.doc(params={"name": NAME})
@ns.response(200, "A greeting", greeting)
@ns.response(400, "There is no greeting in this language")
class Greet(Resource):
    access = "anyone"

    @ns.doc(params={"lang": OFFERED | {"in": "query"}})
    def get(self, name: str) -> dict[str, str]:
        """Greet somebody"""
        return greet(name, in_query.parse_args()["lang"])

    @ns.doc(params={"lang": OFFERED | {"in": "formData", "x-example": "de"}})
    def post(self, name: str) -> dict[str, str]:
        """Greet somebody, as a form asks for it"""
        return greet(name, in_form.parse_args()["lang"])


def greet(name: str, languages: list[str]) -> dict[str, str]:
    """Return the greeting of a name.

    Raises:
        Invalid: the languages differ.
    """
    if len(set(languages)) > 1:
        message = "lang is given twice, with different values."
        raise services.Invalid(faults=[services.Fault("lang", "repeated", message)])
    return {"message": f"{GREETINGS[languages[0]]} {name}"}


def create() -> Namespace:
    """Return what is mounted at /api/hello_rest."""
    return ns
