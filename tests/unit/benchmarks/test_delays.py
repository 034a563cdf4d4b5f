"""Delays from looks at a count."""

from benchmarks.delays import delays_of


def test_an_event_was_counted_at_the_first_look_whose_count_includes_it() -> None:
    sent_at = [0.0, 1.0, 2.0, 3.0]
    looks = [(2.5, 2), (4.0, 3), (9.0, 4)]
    assert delays_of(sent_at, looks) == [2.5, 1.5, 2.0, 6.0]
