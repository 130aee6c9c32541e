"""Amazon's own Swagger models as judges of what goes over the wire.

They are no part of this repository: they are read from ../shared next to it, and where that is absent nothing is
judged and `test_models.py` says so.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "channels" / "amazon" / "models"
FILES = (
    "orders_2026-01-01",
    "ordersV0",
    "listingsItems_2021-08-01",
    "feeds_2021-06-30",
    "sellers",
    "reports_2021-06-30",
    "tokens_2021-03-01",
    "fbaInventory",
    "notifications",
)
ABSENT = f"Amazon's models are not at {FOLDER}: nothing was checked against them"


@dataclass(frozen=True)
class Exchange:
    """One call as it went over the wire; bodies as JSON or None."""

    method: str
    path: str
    query: dict[str, str]
    request: Any
    status: int
    answer: Any


def judge(exchange: Exchange) -> list[str]:
    """What Amazon's model finds wrong with the call or its answer."""
    found = _operation(exchange.method, exchange.path)
    if found is None:
        return [f"{exchange.method} {exchange.path}: no such operation"]
    model, operation = found
    faults = [*_query_faults(operation, exchange.query), *_request_faults(model, operation, exchange.request)]
    response = operation["responses"].get(str(exchange.status))
    if response is None:
        faults.append(f"status {exchange.status} is not foreseen")
    elif "schema" in response:
        faults += _schema_faults(model, response["schema"], exchange.answer)
    elif exchange.answer is not None:
        faults.append("an answer without a body was foreseen")
    return [f"{operation['operationId']}: {fault}" for fault in faults]


def judge_document(name: str, document: Any) -> list[str]:
    """What a feed schema finds wrong with a feed's document or its processing report."""
    schema = json.loads((FOLDER / "schemas" / "feeds" / name).read_text())
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(document)]


def judge_notice(name: str, document: Any) -> list[str]:
    """What a schema of notifications finds wrong with a message of the queue."""
    schema = json.loads((FOLDER / "schemas" / "notifications" / name).read_text())
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(document)]


@cache
def _model(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def _operation(method: str, path: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    for name in FILES:
        model = _model(name)
        for template, operations in model["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if method.lower() in operations and re.fullmatch(pattern, path):
                operation = operations[method.lower()]
                shared = operations.get("parameters", [])
                return model, {**operation, "parameters": [*operation.get("parameters", []), *shared]}
    return None


def _query_faults(operation: dict[str, Any], query: dict[str, str]) -> list[str]:
    known = {one["name"]: one for one in operation["parameters"] if one.get("in") == "query"}
    faults = [f"unknown parameter {name}" for name in query if name not in known]
    faults += [f"{name} is missing" for name, one in known.items() if one.get("required") and name not in query]
    for name, text in query.items():
        parameter = known.get(name, {})
        allowed = parameter.get("items", {}).get("enum") or parameter.get("enum")
        words = text.split(",") if parameter.get("type") == "array" else [text]
        faults += [f"{name}={word} is not allowed" for word in words if allowed and word not in allowed]
        if len(words) > parameter.get("maxItems", len(words)):
            faults.append(f"{name} has too many values")
        if parameter.get("type") == "integer" and not text.isdecimal():
            faults.append(f"{name} is no number")
    return faults


def _request_faults(model: dict[str, Any], operation: dict[str, Any], body: Any) -> list[str]:
    wanted = next((one for one in operation["parameters"] if one.get("in") == "body"), None)
    if wanted is None:
        return [] if body is None else ["a body was sent where none belongs"]
    return _schema_faults(model, wanted["schema"], body)


def _schema_faults(model: dict[str, Any], schema: dict[str, Any], body: Any) -> list[str]:
    whole = {**schema, "definitions": model["definitions"]}
    return [f"{list(error.path)}: {error.message}" for error in jsonschema.Draft4Validator(whole).iter_errors(body)]


def operation_name(exchange: Exchange) -> str:
    found = _operation(exchange.method, exchange.path)
    return str(found[1]["operationId"]) if found else ""
