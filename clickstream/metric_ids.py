"""Makes Great Expectations' ids of its metrics cheap, which otherwise are most of the cost of a batch.

For each batch it asks tens of thousands of times for the ids of a few hundred metrics, and each time writes
their arguments as JSON and hashes that. The same arguments have the same id, so it is worked out once.
"""

import marshal
from functools import wraps
from typing import Any, Final

_MAX_KEPT: Final = 10_000


def remember_metric_ids() -> None:
    """Lets Great Expectations keep the ids that it worked out; called again, it changes nothing."""
    from great_expectations.core.id_dict import IDDict  # noqa: PLC0415 - it takes seconds to import

    work_out = IDDict.to_id
    if hasattr(work_out, "__wrapped__"):
        return
    ids: dict[tuple[type, bytes], Any] = {}

    @wraps(work_out)
    def to_id(arguments: Any, *choice: Any, **named_choice: Any) -> Any:
        if choice or named_choice:
            return work_out(arguments, *choice, **named_choice)
        try:
            # Only plain values can be written so, and different ones never alike (not even 1 and true).
            content = (type(arguments), marshal.dumps(dict(arguments)))
        except ValueError:
            return work_out(arguments)
        if content not in ids:
            if len(ids) >= _MAX_KEPT:
                ids.clear()
            ids[content] = work_out(arguments)
        return ids[content]

    IDDict.to_id = to_id
