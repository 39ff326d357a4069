"""The document of the API is made from the code, is current, and is what is answered."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from tests.web.conftest import Paused
from tests.web.policies import ERROR_RATE
from watchdog.engine import DeployDesk, Orders, Views
from watchdog.web.inbound import Inbound
from watchdog.web.openapi import document, written
from watchdog.web.readonly import Health, readonly_app
from watchdog.wire.secrets import FileSecrets

pytestmark = pytest.mark.asyncio(loop_scope="session")

_FILE = Path(__file__).resolve().parents[2] / "watchdog" / "web" / "static" / "openapi.json"
_COMMAND = "python -m watchdog.web.openapi > watchdog/web/static/openapi.json"


async def test_the_document_is_current() -> None:
    assert _FILE.read_text(encoding="utf-8") == written(), f"run: {_COMMAND}"


async def test_it_tells_of_every_address_and_no_other(paused: Paused) -> None:
    engine = paused.watch.engine
    inbound = Inbound(
        engine.inbox,
        DeployDesk(engine),
        Orders(engine),
        engine.in_force,
        FileSecrets([]),
        engine.ports.clock,
    )
    health = Health(lambda: "", lambda: "")
    app = readonly_app(Views(engine), health, ("localhost",), inbound=inbound)
    there = {
        (method.lower(), re.sub(r":\w+\}", "}", route.path))
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    paths = document()["paths"]
    assert {(method, path) for path, found in paths.items() for method in found} == there
    assert len(there) >= len(app.routes)


def closed(schema: Any) -> Any:
    """The same, with no room for keys that are not told of."""
    if isinstance(schema, dict):
        inner = {key: closed(value) for key, value in schema.items()}
        is_told = "properties" in schema and "additionalProperties" not in schema
        return {**inner, "additionalProperties": False} if is_told else inner
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


JSON_READS = [
    path
    for path, found in document()["paths"].items()
    if path.startswith("/api/") and "get" in found
]


@pytest.mark.parametrize("path", JSON_READS)
async def test_an_answer_has_the_schema_and_no_key_besides(paused: Paused, path: str) -> None:
    """During an episode, with a hold, with blind rules and with words that others chose."""
    told = document()
    content = told["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    schema = closed({**content["schema"], "components": told["components"]})
    given = await paused.watch.get(path.replace("{name}", ERROR_RATE.name))
    assert given.headers["content-type"] == "application/json"
    wrong = [error.message for error in Draft202012Validator(schema).iter_errors(given.json())]
    assert wrong == []


async def test_what_is_not_there_is_missed_by_that_look(paused: Paused) -> None:
    told = document()
    schema = {"$ref": "#/components/schemas/Status", "components": closed(told["components"])}
    given = (await paused.watch.get("/api/v1/status")).json()
    for broken in (
        given | {"another": 1},
        {key: value for key, value in given.items() if key != "sources"},
        given | {"passes": "many"},
    ):
        assert not Draft202012Validator(schema).is_valid(broken)
    assert json.loads(_FILE.read_text()) == (await paused.watch.get("/api/v1/openapi.json")).json()
