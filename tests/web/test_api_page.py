"""docs/api.md tells of every address, its parameters, and an answer of the form that it gives."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from tests.web.conftest import Paused
from tests.web.policies import ERROR_RATE
from watchdog.engine import DeployDesk, Done, Orders, Person, Views
from watchdog.web.control import control_app
from watchdog.web.inbound import Inbound
from watchdog.web.ordering import ORDERS, Control, Order
from watchdog.web.readonly import Health, readonly_app
from watchdog.wire.secrets import FileSecrets

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
REST, _, CONTROL = PAGE.partition("\n## The control socket\n")
READS, _, EVENTS = REST.partition("\n## Events, on `listen`\n")
_HEADING = re.compile(r"^### `(?P<method>[A-Z]+) (?P<path>\S+)`$", re.MULTILINE)
_OWN_WORDS = {"labels", "annotations", "up"}  # keys in these are the policy's
_DOCUMENT = {"paths", "schemas", "securitySchemes"}  # and of these only the beginning is shown


def sections(part: str) -> dict[str, str]:
    """Text of each address's section."""
    _, *found = re.split(r"^(?=###? )", part, flags=re.MULTILINE)
    return {
        f"{heading['method']} {heading['path']}": text
        for text in found
        if (heading := _HEADING.match(text))
    }


def answer_in(text: str) -> Any:
    found = re.search(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return json.loads(found[1]) if found else None


def control_of(paused: Paused) -> Starlette:
    async def apply(person: Person, dry: bool) -> Done:  # noqa: FBT001  # as the daemon's own
        raise AssertionError(person, dry)

    views = Views(paused.watch.engine)
    return control_app(Control(paused.watch.orders, views, apply, root_is_person=False))


def addresses(app: Starlette) -> set[str]:
    routes = [route for route in app.routes if isinstance(route, Route)]
    assert len(routes) == len(app.routes)
    methods = [(one.path.replace(":path", ""), {*(one.methods or ())} - {"HEAD"}) for one in routes]
    return {f"{method} {path}" for path, found in methods for method in found}


async def test_every_address_is_told_of_and_no_other(paused: Paused) -> None:
    views = Views(paused.watch.engine)
    engine = paused.watch.engine
    deploys = DeployDesk(engine)
    orders = Orders(engine)
    inbound = Inbound(
        engine.inbox, deploys, orders, engine.in_force, FileSecrets([]), engine.ports.clock
    )
    health = Health(lambda: "", lambda: "")
    readonly = readonly_app(views, health, ("localhost",), inbound=inbound)
    assert {*sections(READS), *sections(EVENTS)} == addresses(readonly)
    assert all(name.startswith("POST ") for name in sections(EVENTS))
    assert set(sections(CONTROL)) == addresses(control_of(paused))


def differences(told: Any, given: Any, where: str = "") -> list[str]:
    """Where the document's answer has other keys than the one that is given."""
    if isinstance(told, dict) and isinstance(given, dict):
        if where.rpartition(".")[2] in _OWN_WORDS | _DOCUMENT:
            return []
        found = [f"{where}.{key}" for key in sorted(set(told) ^ set(given))]
        for key in set(told) & set(given):
            found += differences(told[key], given[key], f"{where}.{key}")
        return found
    if isinstance(told, list) and isinstance(given, list) and told and given:
        # What only some members have is compared with one that has it.
        return min((differences(told[0], one, f"{where}[]") for one in given), key=len)
    if isinstance(told, dict | list) != isinstance(given, dict | list):
        return [] if told is None or given is None else [where]
    return []


@pytest.mark.parametrize(
    "address", [name for name, text in sections(READS).items() if answer_in(text) is not None]
)
async def test_an_answer_has_the_form_that_is_told(paused: Paused, address: str) -> None:
    path = address.removeprefix("GET ").replace("{name}", ERROR_RATE.name)
    given = (await paused.watch.get(path)).json()
    assert differences(answer_in(sections(READS)[address]), given) == []


async def test_every_json_address_shows_an_answer() -> None:
    shown = {name for name, text in sections(READS).items() if answer_in(text) is not None}
    assert shown == {name for name in sections(READS) if "/api/" in name}
    orders = {name for name, text in sections(CONTROL).items() if answer_in(text) is not None}
    assert orders == {f"POST {path}" for path in ORDERS}


@pytest.mark.parametrize("path", ORDERS)
async def test_an_order_takes_the_keys_that_are_told(path: str) -> None:
    text = sections(CONTROL)[f"POST {path}"]
    rows = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", text, re.MULTILINE))
    own = {n: one for n, one in ORDERS[path].model_fields.items() if n not in Order.model_fields}
    left_out = {
        name: "required" if one.is_required() else f"`{json.dumps(one.default)}`"
        for name, one in own.items()
    }
    assert rows == left_out
    assert set(answer_in(text)) == {"effect", "target", "data"}


async def test_the_reads_of_the_socket_answer_as_told(paused: Paused) -> None:
    transport = httpx.ASGITransport(control_of(paused))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as socket:
        for address in sections(CONTROL):
            method, path = address.split(" ")
            if method == "GET" and "{" not in path:
                told = answer_in(sections(READS)[f"GET {path.replace('/v1/', '/api/v1/')}"])
                found = differences(told, (await socket.get(path)).json())
                assert found == (["[].timeline"] if path == "/v1/episodes" else [])
        why = await socket.get(f"/v1/why/{ERROR_RATE.name}")
        assert differences(answer_in(sections(READS)["GET /api/v1/why/{name}"]), why.json()) == []
        statuses = [
            (await socket.get("/v1/why/no-such-rule")).status_code,
            (await socket.get("/v1/decisions?after=" + "9" * 5000)).status_code,
            (await socket.post("/v1/hold", json={"scope": "everything"})).status_code,
            (await socket.post("/v1/hold", content=b" " * 70_000)).status_code,
            (await socket.get("/v1/hold")).status_code,
        ]
    assert statuses == [404, 422, 422, 413, 405]
    assert all(f"\n| {status} |" in CONTROL for status in statuses)
