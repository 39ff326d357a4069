"""What may be put into a text, and into which: nothing that was read from outside ends a quote."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.filling_in import Lacking, asked_for, exchanged, filled, is_version
from watchdog.core.releases import (
    DeployRelease,
    Stated,
    back,
    content_digest,
    facts_of,
    proof_of,
    way_of,
)
from watchdog.core.spec import Check, Command, Endpoint, HttpCall

FACTS = facts_of("release:shop", "v4", "v5")
BOTH = "--to=${anchor.version} --from=${present.version}"


def test_both_versions_take_their_places() -> None:
    assert filled(BOTH, FACTS) == "--to=v4 --from=v5"


def test_on_the_way_back_they_change_places() -> None:
    assert filled(BOTH, FACTS, back=True) == "--to=v5 --from=v4" == filled(exchanged(BOTH), FACTS)
    assert exchanged(exchanged(BOTH)) == BOTH


def test_what_a_text_asks_for_is_told_by_whose_it_is() -> None:
    assert asked_for(BOTH) == ("version",) == asked_for(BOTH, "present")
    assert asked_for("${other.version} $anchor.version ${anchor.}") == ()


def test_what_is_not_known_is_not_left_standing() -> None:
    assert filled("${anchor.build}", FACTS) == Lacking("build of the anchor is not known")
    lacking = filled("${present.build}", FACTS)
    assert lacking == Lacking("build of what stood before is not known")


def test_in_an_address_a_version_is_one_part_of_the_path() -> None:
    image = (("version", "a/b:1+2@c"),)
    assert filled("http://h/${anchor.version}/x", image, in_address=True) == (
        "http://h/a%2Fb%3A1%2B2%40c/x"
    )


@given(st.text(max_size=210))
def test_whatever_is_put_in_is_harmless_wherever_it_stands(value: str) -> None:
    put = filled("${anchor.version}", (("version", value),))
    if isinstance(put, Lacking):
        return
    assert put == value
    assert value.isascii()
    assert not value.startswith(("-", "/", "."))
    assert not set(value) & set("'\"`$\\ {}?#%&=;|<>()[]\n\0")


@given(st.from_regex(r"[a-z./]{0,12}", fullmatch=True))
def test_a_version_leads_to_no_other_path(value: str) -> None:
    if is_version(value):
        assert not re.search(r"(^|/)(\.|/|$)", value)


@pytest.mark.parametrize("version", ["v4", "1.2.3", "42", "reg/shop:1@sha256:ab", "v1..2", "a+b"])
def test_a_version_is_a_version(version: str) -> None:
    assert is_version(version)


RELEASE = DeployRelease(
    by=HttpCall("PUT", Endpoint("http://h/${present.version}"), '{"to": "${anchor.version}"}'),
    target="release:shop",
    present=Stated("v5"),
    anchor=Stated("v4"),
    deployable=Check(Endpoint("http://h/${anchor.version}"), "v == '${anchor.version}'"),
)


def test_what_deploys_and_what_proves_it_are_made_of_what_was_decided() -> None:
    assert way_of(RELEASE, FACTS) == HttpCall("PUT", Endpoint("http://h/v5"), '{"to": "v4"}')
    assert proof_of(RELEASE, FACTS) == Check(Endpoint("http://h/v4"), "v == 'v4'")


def test_the_way_back_is_made_of_the_same_facts() -> None:
    assert way_of(back(RELEASE), FACTS) == HttpCall("PUT", Endpoint("http://h/v4"), '{"to": "v5"}')
    assert proof_of(back(RELEASE), FACTS) == Check(Endpoint("http://h/v5"), "v == 'v5'")


@pytest.mark.parametrize("facts", [(), facts_of("release:shop", "../x", "v5")])
def test_nothing_is_made_of_what_is_no_version(facts: tuple[tuple[str, str], ...]) -> None:
    assert isinstance(way_of(RELEASE, facts), Lacking)
    assert isinstance(proof_of(RELEASE, facts), Lacking)


def test_a_text_that_asks_for_more_is_not_made() -> None:
    more = Command(("deploy", "${anchor.version}", "${anchor.colour}"))
    how = DeployRelease(more, "release:shop", Stated("v5"), Stated("v4"), more)
    assert (
        way_of(how, FACTS) == Lacking("colour of the anchor is not known") == proof_of(how, FACTS)
    )


def test_one_version_of_two_services_is_two_contents() -> None:
    assert content_digest("release:shop", "v4") != content_digest("release:cart", "v4")
