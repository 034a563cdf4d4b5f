import json
import time
from collections import Counter
from itertools import count, islice

import pytest

from clickstream.decode import SentEvent, read_record, read_values
from clickstream.event.rules import Receipt, find_errors
from clickstream.reasons import ErrorCode
from clickstream.sources.broker import split_value
from generator.live.options import Source
from generator.live.visits import Happening, Visits
from generator.live.wire import Item, Kind, Tally, make_valid, pack
from generator.live.wire_faults import WIRE_FAULTS, WireFault, take_turns
from generator.profiles import Population
from generator.randomness import make_random
from generator.sessions import SessionMaker

NOW_MS = int(time.time() * 1_000)
SEED = 3
PEOPLE = Population(SEED, 30)


def make_happenings(events: int) -> list[Happening]:
    visits = Visits(SessionMaker(SEED, PEOPLE, "a run"), 20.0, SEED)
    return [visits.take() for _ in range(events)]


def judge(value: bytes) -> set[ErrorCode]:
    """The codes of a record of the broker, by the rules of the pipeline."""
    codes = set()
    for item in split_value(value):
        if item.defect is not None:
            codes.add(item.defect)
            continue
        record = read_record(item.text.decode())
        if isinstance(record, SentEvent):
            codes |= {error.code for error in find_errors(read_values(record), Receipt(NOW_MS, 300_000))}
        else:
            codes.add(record.code)
    return codes


ALL_FAULTS = [
    pytest.param(source, fault, id=f"{source}: {fault.name}")
    for source, faults in WIRE_FAULTS.items()
    for fault in faults
]


@pytest.mark.parametrize(("source", "fault"), ALL_FAULTS)
def test_a_fault_earns_its_codes_and_no_others(source: Source, fault: WireFault) -> None:
    for happening in make_happenings(20):
        item = fault.apply(happening, 12_345)
        (packed,) = pack([item], source, count(1).__next__)

        assert judge(packed.parcel.body) == set(fault.codes)


def test_valid_events_earn_none() -> None:
    for happening in make_happenings(500):
        assert judge(make_valid(happening).body) == set()


def test_the_broker_carries_every_code_but_those_of_lines_and_sizes() -> None:
    codes = {code for fault in WIRE_FAULTS[Source.BROKER] for code in fault.codes}

    warnings = {ErrorCode.INVALID_IP, ErrorCode.UNKNOWN_DEVICE_TYPE, ErrorCode.UNKNOWN_COUNTRY}
    assert set(ErrorCode) - codes == {ErrorCode.MALFORMED_LINE, ErrorCode.TOO_LARGE} | warnings


def test_over_http_no_fault_spoils_its_neighbours() -> None:
    assert not [fault.name for fault in WIRE_FAULTS[Source.HTTP] if fault.is_record or fault.instead]


@pytest.mark.parametrize("source", Source)
def test_every_fault_has_its_turn_and_large_ones_come_seldom(source: Source) -> None:
    came = Counter(fault.name for fault in islice(take_turns(source, make_random("test", 1)), 2_000))

    rare = {fault.name for fault in WIRE_FAULTS[source] if fault.is_rare}
    assert came.keys() == {fault.name for fault in WIRE_FAULTS[source]}
    assert max(came[name] for name in rare) < min(came[name] for name in came.keys() - rare) / 5


def test_a_parcel_holds_at_most_a_hundred_events_and_what_travels_alone_does() -> None:
    items = [Item(b"{}", Kind.VALID) for _ in range(250)]
    items.insert(120, Item(b"", Kind.FAULTY, (ErrorCode.INVALID_JSON,), is_record=True))
    numbers = count(7)

    parcels = [packed.parcel for packed in pack(items, Source.BROKER, numbers.__next__)]

    assert sorted(parcel.tally.events for parcel in parcels) == [1, 50, 100, 100]
    assert [parcel.number for parcel in parcels] == [7, 8, 9, 10]
    (alone,) = [parcel for parcel in parcels if parcel.tally.events == 1]
    assert (alone.body, alone.tally.by_code) == (b"", {"invalid_json": 1})


def test_a_body_is_an_array_of_its_events_in_order() -> None:
    happenings = make_happenings(3)
    (packed,) = pack(map(make_valid, happenings), Source.HTTP, count(1).__next__)

    sent = json.loads(packed.parcel.body)
    assert [event["id"] for event in sent] == [event.event_id for _, event in happenings]
    assert packed.happenings == happenings


def test_a_tally_counts_a_fault_of_two_codes_under_both() -> None:
    tally = Tally.of([Item(b"", Kind.FAULTY, (ErrorCode.INVALID_IP, ErrorCode.WRONG_TYPE))])

    assert (tally.faulty, tally.by_code) == (1, {"invalid_ip": 1, "wrong_type": 1})
