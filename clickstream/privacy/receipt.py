"""The receipt of an erasure: what was removed where, how that was verified, what is left.

It holds no personal data.
"""

from datetime import datetime
from typing import Final

import msgspec


class Removed(msgspec.Struct, frozen=True):
    """What was removed from one place.

    Attributes:
        where: A table, or what else it is.
        count: How many rows, files or days.
        what: What they are.
    """

    where: str
    count: int
    what: str


class Verified(msgspec.Struct, frozen=True):
    """One thing that was looked at afterwards.

    Attributes:
        claim: What must be true.
        found: What contradicts it, in numbers; 0 if it is true.
    """

    claim: str
    found: int


class Remains(msgspec.Struct, frozen=True):
    """Something that this erasure does not remove.

    Attributes:
        where: The place.
        what: What is there, and what to do about it.
        until: When it is gone by itself; None if it is not.
    """

    where: str
    what: str
    until: datetime | None = None


class Receipt(msgspec.Struct, frozen=True):
    """What an erasure did.

    Attributes:
        erasure_id: Its id, by which it is printed again.
        started_at: When it started.
        finished_at: When it ended.
        removed: What is gone.
        verified: What was looked at afterwards.
        remains: What is left, and until when.
    """

    erasure_id: str
    started_at: datetime
    finished_at: datetime
    removed: list[Removed]
    verified: list[Verified]
    remains: list[Remains]

    @property
    def is_verified(self) -> bool:
        """Whether nothing that was looked at contradicts the erasure."""
        return all(check.found == 0 for check in self.verified)


_MINUTE: Final = "%Y-%m-%d %H:%M"


def encode_receipt(receipt: Receipt) -> str:
    """The receipt as JSON."""
    return msgspec.json.encode(receipt).decode()


def decode_receipt(text: str) -> Receipt:
    """The receipt of its JSON."""
    return msgspec.json.decode(text, type=Receipt)


def describe_receipt(receipt: Receipt) -> str:
    """The receipt as text for people."""
    lines = [
        f"Erasure {receipt.erasure_id}",
        f"Started {receipt.started_at:{_MINUTE}} UTC, finished {receipt.finished_at:{_MINUTE}} UTC.",
        "",
        "Removed:",
        *(f"  {part.where}: {part.count:,} {part.what}" for part in receipt.removed),
        "",
        "Verified:",
        *(
            f"  {'yes' if check.found == 0 else f'NO, {check.found:,} found'}: {check.claim}"
            for check in receipt.verified
        ),
        "",
        "Not removed by this erasure:",
        *(
            f"  {part.where}: {part.what}{f' Gone by {part.until:{_MINUTE}} UTC.' if part.until else ''}"
            for part in receipt.remains
        ),
    ]
    if not receipt.remains:
        lines.append("  nothing")
    return "\n".join(lines)
