"""Which label says what failed: by convention, never by hope."""

import pytest

from watchdog.core.promql.selector import Selector
from watchdog.lab.first_rule.outcomes import telling_of
from watchdog.lab.first_rule.promql import quoted, selector


@pytest.mark.parametrize(
    ("values", "bad"),
    [
        ({"code": {"200", "404", "503"}}, 'code=~"5.."'),
        ({"code": {"200"}}, 'code=~"5.."'),
        ({"status": {"2xx", "5xx"}}, 'status="5xx"'),
        ({"status": {"2XX"}}, 'status="5XX"'),
        ({"grpc_code": {"OK", "NotFound"}}, "DeadlineExceeded"),
        ({"result": {"ok", "failed"}}, 'result="failed"'),
        ({"result": {"ok", "failed", "timeout"}}, 'result=~"failed|timeout"'),
        ({"outcome": {"SUCCESS", "SERVER_ERROR", "CLIENT_ERROR"}}, 'outcome="SERVER_ERROR"'),
        ({"success": {"true", "false"}}, 'success="false"'),
        ({"result": {"success"}}, 'result!="success"'),
        ({"code": {""}, "result": {"ok", "error"}}, 'result="error"'),
        ({"status": {"active", "idle"}}, None),
        ({"result": {"error"}}, None),
        ({"code": {"200", "banana"}}, None),
        ({}, None),
    ],
)
def test_a_label_tells_failures_or_it_does_not(
    values: dict[str, set[str]], bad: str | None
) -> None:
    told = telling_of(values)
    if told is None or bad is None:
        assert (told, bad) == (None, None)
        return
    text = selector("x_total", [(told.label, told.operator, told.value)])
    assert bad in text
    (matcher,) = Selector.parse(text).matchers
    assert matcher.matches(told.bad)
    assert not matcher.matches(told.good)


@pytest.mark.parametrize(
    "text", ["", 'a"b', "back\\slash", "two\nlines", "{{ app }}", "\x00\x7f\x85", "é😀", "'`$#: %"]
)
def test_a_quoted_value_is_that_text_and_nothing_else(text: str) -> None:
    written = quoted(text)
    assert written.isascii()
    assert written.isprintable()
    assert "{{" not in written
    (matcher,) = Selector.parse(f"x{{job={written}}}").matchers
    assert matcher.value == text
