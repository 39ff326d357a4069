"""What Alertmanager is told at any moment, from the book alone."""

from dataclasses import replace

from tests.core.decisions.watch import BLIND, BREACHED, HEALTHY, Watch, a_policy, a_rule
from watchdog.core import entries as e
from watchdog.core.alerting import Alert, alert_labels
from watchdog.core.alerts import Told, alerts_of
from watchdog.core.spec import Policy, RuleSpec, Scope
from watchdog.core.standing import MANUAL
from watchdog.core.states import Event, State
from watchdog.core.words import Mode, Severity, Truth, World

LIVES_SECONDS = 180.0
RULE = a_rule(summary="Redemptions fail", runbook="docs/r.md")


def told(watch: Watch) -> Told:
    return alerts_of(watch.book, watch.policy, watch.now, LIVES_SECONDS)


def fires(watch: Watch) -> dict[str, str]:
    """Its one alert's annotations."""
    (alert,) = told(watch).firing.values()
    assert alert.ends_at == watch.now.wall + LIVES_SECONDS
    return dict(alert.annotations)


def test_an_episode_fires_from_the_moment_in_which_for_is_reached_until_it_is_over() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    watch.run(2, BREACHED)
    assert watch.is_now(State.PENDING)
    assert told(watch) == Told({}, {})
    opened = watch.episode.opened
    watch.run(2, BREACHED)
    assert watch.is_now(State.ACTING)
    (labels,) = told(watch).firing
    assert labels == alert_labels(RULE, "sandbox", World.LIVE)
    assert told(watch).firing[labels].starts_at == opened.wall
    said = fires(watch)
    assert said["summary"] == "Redemptions fail"
    assert said["action"] == "pause on flag:redemption"
    assert said["state"].startswith("acting since 20")
    assert (said["episode"], said["runbook"]) == ("E1", "docs/r.md")
    assert said["look"] == "slo-watchdog why errors"

    watch.end()
    watch.look(contained=Truth.TRUE, recovered=Truth.UNKNOWN)
    assert fires(watch)["state"].startswith("contained since")
    assert fires(watch)["read_back"] == "enabled: false"

    watch.run(1, HEALTHY)
    watch.undo(watch.episode)
    assert watch.is_now(State.WATCHED)
    over = watch.now
    assert told(watch).firing == {}
    (ended,) = told(watch).ended.values()
    assert (ended.labels, ended.ends_at) == (labels, over.wall)
    watch.run(int(LIVES_SECONDS) + 30, HEALTHY)
    assert told(watch) == Told({}, {})


def test_a_short_breach_is_never_told() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    watch.run(2, BREACHED)
    watch.run(1, HEALTHY)
    assert watch.is_now(State.OK)
    assert told(watch) == Told({}, {})


def test_a_held_one_says_what_holds_it_now() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    hold = watch.hold()
    watch.run(5, BREACHED)
    assert "migration" in fires(watch)["reason"]
    watch.release(hold)
    watch.run(2, BREACHED)
    assert "already burning" in fires(watch)["reason"]


def test_a_new_breach_takes_the_place_of_what_ended_before_it() -> None:
    watch = Watch(a_policy(replace(RULE, mode=Mode.OBSERVE)))
    watch.break_it()
    watch.run(1, HEALTHY)
    assert len(told(watch).ended) == 1
    watch.run(5, BREACHED)
    found = told(watch)
    assert found.ended == {}
    assert dict(next(iter(found.firing.values())).annotations)["episode"] == "E2"


def test_shadow_is_told_under_its_own_world() -> None:
    watch = Watch(a_policy(replace(RULE, mode=Mode.SHADOW)))
    watch.break_it()
    (labels,) = told(watch).firing
    assert dict(labels)["world"] == "shadow"


def test_blindness_is_told_once_people_were_paged_for_it() -> None:
    watch = Watch(a_policy(RULE))
    watch.run(2, HEALTHY)
    watch.run(20, BLIND)
    assert told(watch).firing == {}
    watch.run(15, BLIND)
    (labels,) = told(watch).firing
    assert labels == alert_labels(RULE, "sandbox", World.LIVE, "blind")
    assert fires(watch)["summary"].startswith("errors is blind")
    watch.run(1, HEALTHY)
    assert told(watch).firing == {}


def test_our_own_silence_keeps_both_from_firing() -> None:
    watch = Watch(a_policy(RULE))
    watch.break_it()
    assert len(told(watch).firing) == 1
    watch.hold(Scope("owner", "another"), silence=True)
    watch.hold(Scope("owner", "team"))
    assert len(told(watch).firing) == 1
    watch.hold(Scope("owner", "team"), silence=True)
    assert told(watch).firing == {}


def test_a_rule_that_is_gone_keeps_its_alerts_name() -> None:
    watch = Watch(a_policy(RULE))
    watch.break_it()
    before = set(told(watch).firing)
    watch.policy = a_policy(a_rule("another"))
    assert set(told(watch).firing) == before
    assert fires(watch)["look"] == "slo-watchdog status"


def test_each_order_of_a_person_is_an_alert_of_its_own() -> None:
    watch = Watch(a_policy(RULE))
    with watch.draft() as draft:
        for name in ("E1", "E2"):
            draft.add(
                e.EpisodeOpened(
                    name, MANUAL, "", Severity.P0, World.LIVE, None, actor="alice", why="act"
                )
            )
            draft.move(draft.book.episodes[name], Event.COMMANDED, "act", actor="alice")
    names = sorted(dict(labels)["rule"] for labels in told(watch).firing)
    assert names == ["manual-E1", "manual-E2"]
    assert all(alert.rule == "" for alert in told(watch).firing.values())


def member_of(policy: Policy, family: RuleSpec, db: str) -> RuleSpec:
    return policy.member(family, (("db", db),))


def test_a_familys_member_is_known_by_its_labels() -> None:
    family = replace(RULE, each=("db",), limit=5)
    policy = a_policy(family)
    orders = dict(alert_labels(member_of(policy, family, "orders"), "sandbox", World.LIVE))
    users = dict(alert_labels(member_of(policy, family, "users"), "sandbox", World.LIVE))
    assert orders == {**users, "db": "orders"}
    assert (orders["rule"], orders["alertname"]) == ("errors", "errors")


def test_long_texts_are_cut() -> None:
    watch = Watch(a_policy(replace(RULE, summary="x" * 5000)))
    watch.break_it()
    (alert,) = told(watch).firing.values()
    assert isinstance(alert, Alert)
    assert max(len(text) for _, text in alert.annotations) == 1000
