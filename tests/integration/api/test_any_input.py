"""Whatever is sent: an answer of the documented form, accepted or refused with a code, and never a fault."""

import contextlib
import gzip
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import schemathesis
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.refusals import STATUSES, RefusalCode
from clickstream.reasons import ErrorCode
from tests.integration.api.service import ApiStack
from tests.unit.clickstream.judges import VALID_EVENT

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_every_call_of_the_described_api_is_answered_as_described(api: ApiStack) -> None:
    described = schemathesis.openapi.from_url(f"{api.url}/openapi.json")
    operations = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]
    calls: Counter[str] = Counter()
    for operation in operations:
        # Calls that break the description, too: they are to be refused as it says.
        for mode in GenerationMode:

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
            def call(case: Any) -> None:
                calls[case.operation.label] += 1
                is_for_operators = case.operation.label == "GET /events/{id}"
                headers = api.as_operator if is_for_operators else None
                case.call_and_validate(checks=_CHECKS, headers=headers)

            with contextlib.suppress(Unsatisfiable):
                call()
    assert set(calls) >= {
        *("POST /events", "GET /events/{id}", "GET /health/live", "GET /health/ready", "GET /metrics")
    }
    assert calls["POST /events"] >= 120


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_almost_events = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | _json for name, value in VALID_EVENT.items()}
)
_bodies = (
    st.lists(_almost_events | _json, max_size=5).map(json.dumps).map(str.encode)
    | _json.map(json.dumps).map(str.encode)
    | st.binary(max_size=200)
)
_PACKED: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@given(_bodies, st.sampled_from(list(_PACKED)), st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_is_accepted_or_refused_with_a_code(
    api: ApiStack, body: bytes, encoding: str, is_packed: bool
) -> None:
    sent = _PACKED[encoding](body) if is_packed else body
    answer = api.post(sent, headers={"Content-Encoding": encoding})
    told = answer.json()
    if answer.status_code not in (202, 422):
        assert answer.status_code in (400, 413)
        assert STATUSES[RefusalCode(told["code"])] == answer.status_code
        return
    items = json.loads(body)
    count = len(items) if isinstance(items, list) else 1
    assert told["accepted"] + told["rejected"] == count
    assert len({error["index"] for error in told["errors"]}) == told["rejected"]
    assert {error["code"] for error in told["errors"]} <= set(ErrorCode)
    assert (answer.status_code == 422) == (told["accepted"] == 0 and count > 0)
