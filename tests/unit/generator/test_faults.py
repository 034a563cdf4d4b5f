import csv
import io
from random import Random

import pytest

from clickstream.reasons import ErrorCode
from generator.csv_lines import COLUMNS, format_line, make_cells
from generator.faults import FAULTS, HUGE, OPEN_QUOTE, Fault, apply_to_cells, apply_to_line, plan_faults
from generator.plan import Plan
from generator.profiles import Population
from generator.quirks import write_payload
from generator.sessions import Event, Session, SessionMaker
from tests.unit.generator.conftest import Dataset
from tests.unit.generator.recount import judge_cells

NOT_IN_CSV = {
    ErrorCode.INVALID_JSON,
    ErrorCode.NOT_AN_OBJECT,
    # Codes of warnings, which cost no event.
    ErrorCode.INVALID_IP,
    ErrorCode.UNKNOWN_DEVICE_TYPE,
    ErrorCode.UNKNOWN_COUNTRY,
}


@pytest.fixture(scope="module")
def session() -> Session:
    maker = SessionMaker(Plan().seed, Population(1, 20))
    sessions = (maker.make_session(1_700_000_000_000) for _ in range(1_000))
    return next(s for s in sessions if any(e.is_click for e in s.events))


def _break(fault: Fault, event: Event, session: Session) -> str:
    cells = apply_to_cells(fault, make_cells(event, session), write_payload(event))
    return apply_to_line(fault.damage, format_line(cells))


@pytest.mark.parametrize("is_click", [False, True], ids=["view", "click"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_earns_exactly_its_codes(fault: Fault, session: Session, *, is_click: bool) -> None:
    event = next(event for event in session.events if event.is_click == is_click)
    line = _break(fault, event, session)
    records = list(csv.reader(io.StringIO(line, newline=""), strict=True))

    assert len(records) == 1, "a broken line stays one record"
    if any("\udc80" <= character <= "\udcff" for character in line):
        found = {"invalid_encoding"}
        with pytest.raises(UnicodeDecodeError):
            line.encode("utf-8", errors="surrogateescape").decode("utf-8")
    elif len(records[0]) != len(COLUMNS):
        found = {"malformed_line"}
    else:
        found = judge_cells(dict(zip(COLUMNS, records[0], strict=True)))
    assert found == {code.value for code in fault.codes}


def test_the_open_quote_is_never_closed(session: Session) -> None:
    line = _break(OPEN_QUOTE, session.events[0], session)

    with pytest.raises(csv.Error, match="unexpected end of data"):
        list(csv.reader(io.StringIO(line, newline=""), strict=True))


def test_every_code_that_csv_can_carry_occurs(dataset: Dataset) -> None:
    found = {code for codes in dataset.recount.codes for code in codes}

    assert found == {code.value for code in ErrorCode} - NOT_IN_CSV


def test_every_code_has_a_fault() -> None:
    codes = {code for fault in (*FAULTS, HUGE, OPEN_QUOTE) for code in fault.codes}

    assert codes == set(ErrorCode) - NOT_IN_CSV


def test_as_many_faults_as_codes_hold_every_code() -> None:
    codes = set(ErrorCode) - NOT_IN_CSV
    planned = list(plan_faults(len(codes) + 1, 10_000, Random(1)))

    assert {code for fault in planned for code in fault.codes} == codes


def test_as_many_faults_as_kinds_hold_every_kind_and_end_with_the_open_quote() -> None:
    planned = list(plan_faults(len(FAULTS) + 2, 10_000, Random(1)))

    assert {fault.name for fault in planned} == {fault.name for fault in (*FAULTS, HUGE, OPEN_QUOTE)}
    assert planned[-1] is OPEN_QUOTE


@pytest.mark.parametrize("records", [0, 1, 2, 500])
def test_as_many_faults_are_planned_as_asked_for(records: int) -> None:
    planned = list(plan_faults(records, 100_000, Random(1)))

    assert len(planned) == records
    assert planned.count(HUGE) <= 1
    assert sum(fault.is_rare for fault in planned) <= sum(fault.is_rare for fault in FAULTS)
