"""The Grafana dashboard as a document: what Grafana needs of it is there, once."""

from itertools import combinations

from tests.deploy.watching import DASHBOARD, dashboard, of_dashboard

KINDS = {"row", "stat", "timeseries", "state-timeline", "bargauge", "table"}
OLDEST_SCHEMA = 36  # below it Grafana knows no data source as an object, and migrates what it loads


def test_it_is_a_dashboard_of_the_present_kind() -> None:
    told = dashboard()
    assert (told["title"], told["uid"]) == ("SLO watchdog", "slo-watchdog")
    assert told["schemaVersion"] >= OLDEST_SCHEMA
    assert "id" not in told, "an id is a Grafana's own; a file that has one replaces a stranger"
    assert "__inputs" not in told
    ids = [panel["id"] for panel in told["panels"]]
    assert len(set(ids)) == len(ids)
    assert {panel["type"] for panel in told["panels"]} == KINDS
    for panel in told["panels"]:
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["description"].endswith("."), panel["title"]
            assert {"defaults", "overrides"} == set(panel["fieldConfig"])
            refs = [target["refId"] for target in panel["targets"]]
            assert len(set(refs)) == len(refs) > 0


def test_every_query_goes_to_the_chosen_prometheus() -> None:
    told = dashboard()
    (source, *rest) = told["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    asked = [*rest, *told["annotations"]["list"]]
    for panel in told["panels"]:
        asked += [panel, *panel.get("targets", ())] if panel["type"] != "row" else []
    assert all(one["datasource"] == {"type": "prometheus", "uid": "${datasource}"} for one in asked)
    names = {variable["name"] for variable in told["templating"]["list"]}
    assert names == {"datasource", "job", "instance"}
    for one in of_dashboard():
        assert one.expr.count('{job=~"$job", instance=~"$instance"') == len(
            [name for name in one.expr.split("{")[1:] if name]
        ), one.where


def test_no_panel_covers_another() -> None:
    places = {panel["title"]: panel["gridPos"] for panel in dashboard()["panels"]}
    assert len(places) == len(dashboard()["panels"])
    for (one, a), (other, b) in combinations(places.items(), 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or below, (one, other)
    assert all(place["x"] + place["w"] <= 24 for place in places.values())


def test_it_can_be_read_and_changed_by_hand() -> None:
    lines = DASHBOARD.read_text().splitlines()
    assert len(lines) < 1000
    assert max(map(len, lines)) < 260
