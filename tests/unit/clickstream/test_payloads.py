"""Payloads as the database takes them."""

import pytest

from clickstream.event.payloads import storable


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        pytest.param(b'{"n": 12}', b'{"n": 12}', id="an ordinary payload is not touched"),
        pytest.param(b'{"a%2Eb":1}', b'{"a%252Eb":1}', id="an escaped dot is escaped again"),
        pytest.param(b'{"n":18446744073709551615}', b'{"n":18446744073709551615}', id="64 bits"),
        pytest.param(b'{"n":18446744073709551616}', b'{"n":"18446744073709551616"}', id="more than 64 bits"),
        pytest.param(b'{"n":-9223372036854775808}', b'{"n":-9223372036854775808}', id="63 bits and a sign"),
        pytest.param(b'{"n":-9223372036854775809}', b'{"n":"-9223372036854775809"}', id="one less"),
        pytest.param(
            b'{"l":[{"n":100000000000000000000}]}',
            b'{"l":[{"n":"100000000000000000000"}]}',
            id="within a list",
        ),
        pytest.param(
            b'{"n":"100000000000000000000"}', b'{"n":"100000000000000000000"}', id="a text stays one"
        ),
    ],
)
def test_the_payload_becomes(sent: bytes, stored: bytes) -> None:
    assert storable(sent) == stored
