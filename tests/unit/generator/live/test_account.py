"""The journal is real; a process that dies is one that does not close it."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from clickstream.errors import ClickstreamError
from generator.live import account as account_module
from generator.live.account import Account
from generator.live.options import LiveOptions, Source
from generator.live.wire import Parcel, Tally


def make_parcel(account: Account, source: Source = Source.BROKER, **tally: int) -> Parcel:
    return Parcel(
        account.next_number(), source, b'[{"id":1}]\xff', msgspec.convert(tally or {"valid": 3}, Tally)
    )


def reopen(account: Account, path: Path) -> Account:
    account.close()
    return Account(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "generator" / "journal.jsonl"


def test_what_is_acknowledged_is_counted_by_source_and_kind() -> None:
    account = Account()
    sent = [
        make_parcel(account, valid=3, duplicate=1),
        make_parcel(account, Source.HTTP, faulty=2),
        make_parcel(account, valid=9),
    ]
    for parcel in sent:
        account.record_sent(parcel)
    for parcel in sent[:2]:
        account.record_acknowledged(parcel)

    totals = account.totals()
    assert totals[Source.BROKER].acknowledged == Tally(valid=3, duplicate=1)
    assert totals[Source.HTTP].acknowledged == Tally(faulty=2)
    assert account.unacknowledged(Source.BROKER) == sent[2:]


def test_the_next_process_goes_on_with_counts_and_with_what_is_under_way(path: Path) -> None:
    account = Account(path)
    done, left = make_parcel(account), make_parcel(account, Source.HTTP, valid=1, faulty=2)
    for parcel in (done, left):
        account.record_sent(parcel)
    account.record_acknowledged(done)
    account.record_uncertain(left)
    account.record_wish(LiveOptions(rate_per_second=7))

    again = reopen(reopen(account, path), path)

    assert again.totals()[Source.BROKER].acknowledged == done.tally
    assert again.totals()[Source.HTTP].uncertain == left.tally
    assert again.unacknowledged(Source.HTTP) == [left]
    assert again.wish() == LiveOptions(rate_per_second=7)
    assert again.next_number() > left.number


def test_a_parcel_is_written_down_before_it_is_sent(path: Path) -> None:
    account = Account(path)
    parcel = make_parcel(account)
    account.record_sent(parcel)

    assert b'"sent"' in path.read_bytes()


def test_half_a_last_line_is_as_if_it_had_not_been_written(path: Path) -> None:
    account = Account(path)
    parcel = make_parcel(account)
    account.record_sent(parcel)
    account.record_acknowledged(parcel)
    account.close()
    path.write_bytes(path.read_bytes()[:-5])

    again = Account(path)

    assert again.unacknowledged(Source.BROKER) == [parcel]
    assert again.totals()[Source.BROKER].acknowledged == Tally()


def test_damage_is_told_with_its_line(path: Path) -> None:
    account = Account(path)
    account.record_wish(None)
    account.close()
    path.write_bytes(b"what?\n" + path.read_bytes())

    with pytest.raises(ClickstreamError, match=r"journal\.jsonl is damaged at line 1"):
        Account(path)


def test_the_journal_stays_small(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_module, "_MAX_JOURNAL_BYTES", 2_000)
    account = Account(path)
    for _ in range(200):
        parcel = make_parcel(account)
        account.record_sent(parcel)
        account.record_acknowledged(parcel)

    assert path.stat().st_size < 3_000
    assert reopen(account, path).totals()[Source.BROKER].acknowledged == Tally(valid=600)


def test_two_processes_never_share_a_journal(path: Path) -> None:
    program = (
        f"from pathlib import Path; from generator.live.account import Account; Account(Path({str(path)!r}))"
    )
    account = Account(path)

    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Another live generator" in other.stderr
    account.close()
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_journal_is_open_to_its_owner_alone(path: Path) -> None:
    Account(path)

    assert path.parent.stat().st_mode & 0o077 == 0
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_each_generator_is_counted_by_itself_and_among_all(path: Path) -> None:
    account = Account(path)
    account.add_generator("other")
    mine, theirs = (
        make_parcel(account, valid=2),
        msgspec.structs.replace(make_parcel(account), generator="other"),
    )
    for parcel in (mine, theirs):
        account.record_sent(parcel)
        account.record_acknowledged(parcel)
    account.record_wish(LiveOptions(seed=5), "other")

    again = reopen(reopen(account, path), path)

    assert again.generators() == ["default", "other"]
    assert again.totals("default")[Source.BROKER].acknowledged == Tally(valid=2)
    assert again.totals("other")[Source.BROKER].acknowledged == Tally(valid=3)
    assert again.totals()[Source.BROKER].acknowledged == Tally(valid=5)
    assert (again.wish(), again.wish("other")) == (None, LiveOptions(seed=5))


def test_what_a_removed_generator_has_sent_stays_in_the_totals(path: Path) -> None:
    account = Account(path)
    account.add_generator("other")
    parcel = msgspec.structs.replace(make_parcel(account), generator="other")
    account.record_sent(parcel)
    account.remove_generator("other")
    account.record_acknowledged(parcel)

    again = reopen(account, path)

    assert again.generators() == ["default"]
    assert again.totals()[Source.BROKER].acknowledged == parcel.tally


def test_a_journal_from_before_there_were_names_is_read(path: Path) -> None:
    path.parent.mkdir(parents=True)
    tally = {"valid": 4, "duplicate": 0, "faulty": 0, "by_code": {}}
    totals = {"broker": {"acknowledged": tally, "uncertain": {}}}
    path.write_bytes(
        msgspec.json.encode({"type": "state", "totals": totals, "next_number": 9, "wish": {"seed": 3}})
        + b"\n"
    )

    account = Account(path)

    assert account.totals()[Source.BROKER].acknowledged == Tally(valid=4)
    assert account.wish() == LiveOptions(seed=3)
    assert account.next_number() == 9
