from api.recent_ids import RecentIds


def test_an_id_is_known_the_second_time() -> None:
    recent = RecentIds()
    assert recent.add([1, 2, 3]) == 0
    assert recent.add([3, 4, 1]) == 2


def test_repeats_within_a_batch_are_known_too() -> None:
    assert RecentIds().add([7, 7, 7]) == 2


def test_at_least_the_last_ones_are_remembered_and_the_oldest_are_forgotten() -> None:
    recent = RecentIds(remembered=10)
    recent.add(range(30))
    assert recent.add(range(20, 30)) == 10
    assert recent.add(range(10)) == 0
