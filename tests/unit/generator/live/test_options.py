import json
from datetime import UTC, datetime

import msgspec
import pytest

from generator.live.options import BadOptionsError, LiveOptions, Shape, Source, Target, parse_options


def test_what_is_not_named_is_as_before() -> None:
    before = LiveOptions(rate_per_second=7, target=Target.HTTP)

    assert parse_options(b'{"shape": "burst"}', before) == LiveOptions(
        rate_per_second=7, target=Target.HTTP, shape=Shape.BURST
    )
    assert parse_options(b"", before) == before


@pytest.mark.parametrize("rate", [0.1, 1, 5_000])
def test_the_bounds_of_the_rate_are_allowed(rate: float) -> None:
    assert (
        parse_options(json.dumps({"rate_per_second": rate}).encode(), LiveOptions()).rate_per_second == rate
    )


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        pytest.param(b"{", "", "must be JSON", id="no JSON"),
        pytest.param(b"\xff", "", "must be JSON", id="no UTF-8"),
        pytest.param(b"[1]", "", "must be a JSON object", id="no object"),
        pytest.param(b'{"speed": 5}', "speed", "not known here; known: rate_per_second", id="unknown"),
        pytest.param(b'{"rate_per_second": 0.05}', "rate_per_second", "from 0.1 to 5000", id="slow"),
        pytest.param(b'{"rate_per_second": 5001}', "rate_per_second", "from 0.1 to 5000", id="fast"),
        pytest.param(b'{"rate_per_second": "5"}', "rate_per_second", "a number", id="rate as text"),
        pytest.param(b'{"rate_per_second": true}', "rate_per_second", "a number", id="rate is true"),
        pytest.param(b'{"rate_per_second": null}', "rate_per_second", "a number", id="rate is null"),
        pytest.param(b'{"shape": "wave"}', "shape", "one of steady, daily, burst", id="shape"),
        pytest.param(b'{"shape": []}', "shape", "one of steady, daily, burst", id="shape is a list"),
        pytest.param(b'{"target": "csv"}', "target", "one of broker, http, both", id="target"),
        pytest.param(b'{"faults_percent": -1}', "faults_percent", "from 0 to 100", id="negative"),
        pytest.param(b'{"duplicates_percent": 101}', "duplicates_percent", "from 0 to 100", id="over 100"),
        pytest.param(
            b'{"faults_percent": 60, "duplicates_percent": 40}',
            "faults_percent",
            "together must be below 100",
            id="nothing valid left",
        ),
        pytest.param(b'{"seed": 1.5}', "seed", "a whole number", id="seed"),
        pytest.param(b'{"minutes": -1}', "minutes", "minutes from 0 to 525600", id="minutes"),
        pytest.param(b'{"resumes": 1}', "resumes", "true or false", id="resumes"),
    ],
)
def test_bad_options_are_refused_by_name(body: bytes, field: str, said: str) -> None:
    with pytest.raises(BadOptionsError) as refused:
        parse_options(body, LiveOptions())

    (error,) = refused.value.errors
    assert error.field == field
    assert said in error.message


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadOptionsError) as refused:
        parse_options(b'{"shape": "wave", "seed": "x"}', LiveOptions())

    assert [error.field for error in refused.value.errors] == ["shape", "seed"]


def test_a_long_value_is_cut_in_the_answer() -> None:
    with pytest.raises(BadOptionsError) as refused:
        parse_options(json.dumps({"shape": "w" * 5_000}).encode(), LiveOptions())

    assert len(refused.value.errors[0].value) == 100


def test_the_options_of_a_status_can_be_sent_back() -> None:
    options = LiveOptions(minutes=5, ends_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert parse_options(msgspec.json.encode(options), LiveOptions()) == LiveOptions(minutes=5)


def test_both_ways_are_the_two_sources_of_the_ledger() -> None:
    assert LiveOptions(target=Target.BOTH).sources == (Source.BROKER, Source.HTTP)
    assert LiveOptions(target=Target.HTTP).sources == (Source.HTTP,)
