"""/api/calculator: sums of two numbers, and an echo. README.md tells which texts are numbers."""

from __future__ import annotations

import math
from typing import Any

from signpost import Namespace, RequestParser, Resource, arguments, fields, services

ADDENDS, SUM = ("number1", "number2"), "total_sum"
NUMBER = "A number: `13`, `-0.5`, `1e3`."
NO_NUMBER, NO_ENDPOINT = "Invalid number as addend", "Invalid endpoint"


def told(problem: dict[str, Any]) -> dict[str, Any]:
    """Add ``message`` to a problem, and say in ``detail`` which addend is not valid."""
    faults = problem.get("errors", ())
    wrong = [each for each in faults if each["field"] in (*ADDENDS, SUM)]
    said = " ".join(f"{each['field'] or 'The query'}: {each['message']}" for each in faults)
    usual = NO_ENDPOINT if problem["status"] == 404 else problem["title"]
    message = NO_NUMBER if wrong else usual
    return problem | {"detail": said or problem["detail"], "message": message}


ns = Namespace("Calculator", description="Sums of two numbers, and an echo.", shape=told)

total = ns.model(
    "Sum",
    {
        "number1": fields.Float(required=True, example=13.0),
        "number2": fields.Float(required=True, example=28.0),
        "total_sum": fields.Float(required=True, example=41.0),
    },
)
echo = ns.model("Echo", {"echo": fields.String(required=True, example="well well")})

IN_PATH = {"type": "number", "description": NUMBER, "x-example": 13}
ADDEND: dict[str, Any] = {"type": float, "required": True, "help": NUMBER, "example": 13}
no_query = RequestParser()
addends = RequestParser().add_argument("number1", **ADDEND).add_argument("number2", **ADDEND)


@ns.route("/sum")
class Sum(Resource):
    access = "anyone"

    @ns.expect(addends)
    @ns.response(200, "The sum", total)
    @ns.response(400, "An addend or the sum is not valid")
    def get(self) -> dict[str, float]:
        """Add two numbers of the query"""
        return added(**addends.parse_args())


@ns.route("/sum/<number1>/<number2>")
class SumOfPath(Resource):
    access = "anyone"

    @ns.doc(params=dict.fromkeys(ADDENDS, IN_PATH))
    @ns.response(200, "The sum", total)
    @ns.response(400, "An addend or the sum is not valid")
    def get(self, **texts: str) -> dict[str, float]:
        """Add two numbers of the path"""
        no_query.parse_args()
        return added(**numbers(texts))


@ns.route("/echo/<path:text>")
class Echo(Resource):
    access = "anyone"

    @ns.doc(params={"text": {"description": "Any text, slashes too.", "x-example": "well"}})
    @ns.response(200, "The text twice", echo)
    @ns.response(400, "There are parameters")
    def get(self, text: str) -> dict[str, str]:
        """Say a text twice"""
        no_query.parse_args()
        return {"echo": f"{text} {text}"}


def added(number1: float, number2: float) -> dict[str, float]:
    """Return two numbers and their sum.

    Raises:
        Invalid: it is larger than a float can be.
    """
    if math.isinf(total_sum := number1 + number2):
        raise services.Invalid(faults=[services.Fault(SUM, "too_large", "Is too large.")])
    return {"number1": number1, "number2": number2, SUM: total_sum}


def numbers(texts: dict[str, str]) -> dict[str, float]:
    """Return numbers by name.

    Raises:
        Invalid: naming each text that is none.
    """
    found, faults = {}, []
    for name, text in texts.items():
        try:
            found[name] = arguments.Number()(text)
        except arguments.Refused as exc:
            faults.append(services.Fault(name, exc.code, exc.message))
    if faults:
        raise services.Invalid(faults=faults)
    return found


def create() -> Namespace:
    """Return what is mounted at /api/calculator."""
    return ns
