"""Tokens 2021-03-01: restricted data tokens, for the old order reads and restricted reports."""

import re
from collections.abc import Mapping
from typing import Any

from channels.sandbox.amazon.answers import invalid
from channels.sandbox.simulator import Simulator

MOST = 50
ELEMENTS = frozenset({"buyerInfo", "shippingAddress", "buyerTaxInformation"})
RESTRICTED = re.compile(
    r"/orders/v0/orders(/[^/]+(/(buyerInfo|address|orderItems(/buyerInfo)?))?)?|/reports/2021-06-30/documents/[^/]+"
)
PREFIX = "Atz.sprdt|"
LIFE_S = 3600

Json = Mapping[str, Any]


def restricted_token(simulator: Simulator, body: Json) -> dict[str, Any]:
    resources = body.get("restrictedResources")
    if not isinstance(resources, list) or not 0 < len(resources) <= MOST:
        raise invalid(f"restrictedResources: 1 to {MOST} resources are required.")
    for resource in resources:
        _check(resource)
    token = simulator.tokens.issue(life_s=LIFE_S, prefix=PREFIX)
    return {"restrictedDataToken": token, "expiresIn": LIFE_S}


def _check(resource: Any) -> None:
    if not isinstance(resource, dict) or resource.get("method") != "GET":
        raise invalid("restrictedResources.method: must be GET.")
    if not RESTRICTED.fullmatch(str(resource.get("path", ""))):
        raise invalid("restrictedResources.path: is not a restricted path.")
    elements = resource.get("dataElements", [])
    if not isinstance(elements, list) or not set(elements) <= ELEMENTS:
        raise invalid(f"Application does not have access to one or more requested data elements: [{elements}]")
