"""Who may send, and how often: write keys, sites that browsers send from, rates."""

import hmac
import ipaddress
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers

from api.refusals import Refusal, RefusalBody, RefusalCode
from clickstream.settings import ApiSettings, Settings
from clickstream.write_keys import WriteKey, find_key, keys_file, read_keys

KEY_PARAMETER: Final = "key"
AUTO_RATE_PER_SECOND: Final = 100.0

_BEARER: Final = "bearer "
_RELOAD_SECONDS: Final = 1.0
_MAX_SENDERS: Final = 100_000
_ORIGINS_SETTING: Final = "CLICKSTREAM_API__CORS_ORIGINS"
_TOKEN_SETTING: Final = "CLICKSTREAM_API__OPERATOR_TOKEN"  # noqa: S105 -- its name


def is_local(host: str) -> bool:
    """Whether a service that listens on this address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Admission:
    """Lets a request in or refuses it, before its body is read."""

    def __init__(self, settings: Settings) -> None:
        api = settings.api
        local = is_local(settings.stack.host)
        self._origins = Origins(api.cors_origins)
        self._rates = rate_limiter(api, local=local)
        needs_key = api.write_keys == "on" or (api.write_keys == "auto" and not local)
        self._keys = KeyRing(keys_file(settings)) if needs_key else None
        self._operator_token = api.operator_token.get_secret_value().encode()

    def admit(self, headers: Headers, key_parameter: str | None, address: str) -> None:
        """Lets the request in.

        Raises:
            Refusal: Its site may not send, it comes too often, or it has no valid key.
        """
        origin = headers.get("origin")
        if origin is not None:
            self._origins.check(origin, headers.get("host", ""))
        key = ""
        if self._keys is not None:
            presented = _presented_key(headers, key_parameter)
            found = self._keys.find(presented) if presented else None
            key = found.id if found else ""
            # Guessing is slowed down too: it counts for the address, like sending without a key.
            if self._rates is not None:
                self._rates.count(key, address)
            if found is None:
                raise _no_key(presented)
        elif self._rates is not None:
            self._rates.count("", address)

    def admit_operator(self, headers: Headers, address: str) -> None:
        """Lets an operator's request in; the right to send events does not include reading other people's.

        Raises:
            Refusal: It has not the operators' token, or comes too often.
        """
        if self._rates is not None:
            self._rates.count("", address)
        presented = _bearer(headers)
        if not presented:
            raise _no_token(RefusalCode.OPERATOR_TOKEN_MISSING, "Only operators may follow events.")
        is_right = hmac.compare_digest(presented.encode(), self._operator_token)
        if not is_right:
            raise _no_token(RefusalCode.OPERATOR_TOKEN_WRONG, "This is not the operators' token.")


def _bearer(headers: Headers) -> str:
    authorization = headers.get("authorization", "")
    return authorization[len(_BEARER) :].strip() if authorization[: len(_BEARER)].lower() == _BEARER else ""


def _presented_key(headers: Headers, key_parameter: str | None) -> str:
    return _bearer(headers) or key_parameter or ""


def _no_token(code: RefusalCode, what: str) -> Refusal:
    how = f"Send the value of {_TOKEN_SETTING} in the settings file as `Authorization: Bearer TOKEN`."
    return Refusal(RefusalBody(code, f"{what} {how}"), {"WWW-Authenticate": "Bearer"})


def _no_key(presented: str) -> Refusal:
    if presented:
        code, what = RefusalCode.WRITE_KEY_UNKNOWN, "The write key is unknown or was revoked."
    else:
        code, what = RefusalCode.WRITE_KEY_MISSING, "A write key is needed."
    how = (
        f"Send a valid one as `Authorization: Bearer KEY`, or as `?{KEY_PARAMETER}=KEY`; "
        "`clickstream key create NAME` makes one."
    )
    return Refusal(RefusalBody(code, f"{what} {how}"), {"WWW-Authenticate": "Bearer"})


class KeyRing:
    """The write keys of the file, read again soon after it has changed."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._keys: Sequence[WriteKey] = ()
        self._version: tuple[int, int] | None = None
        self._checked_at = -math.inf

    def find(self, secret: str) -> WriteKey | None:
        """The key that was presented; None if it is unknown or revoked."""
        now = self._clock()
        if now - self._checked_at >= _RELOAD_SECONDS:
            self._checked_at = now
            self._reload()
        return find_key(self._keys, secret)

    def _reload(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._keys, self._version = (), None
            return
        version = (status.st_mtime_ns, status.st_ino)
        if version != self._version:
            self._keys, self._version = read_keys(self._path), version


class Origins:
    """The sites that browsers may send from."""

    def __init__(self, setting: str) -> None:
        allowed = setting.replace(",", " ").split()
        self.pattern = "|".join(_origin_pattern(origin) for origin in allowed) or r"(?!)"
        self._is_allowed = re.compile(self.pattern).fullmatch

    def check(self, origin: str, host: str) -> None:
        """Lets an origin in that is on the list or the service's own.

        A browser keeps a foreign page from reading an answer, but not from sending `text/plain`; so it is
        refused here.

        Raises:
            Refusal: It is not allowed.
        """
        if self._is_allowed(origin) or (host and origin.partition("://")[2] == host):
            return
        raise Refusal(
            RefusalBody(
                RefusalCode.ORIGIN_NOT_ALLOWED,
                f"The site {origin[:200]!r} may not send here; {_ORIGINS_SETTING} lists those that may.",
            )
        )


def _origin_pattern(origin: str) -> str:
    if origin == "*":
        return ".*"
    if origin.endswith(":*"):
        return re.escape(origin[:-2]) + r"(?::\d{1,5})?"
    return re.escape(origin.rstrip("/"))


def rate_limiter(settings: ApiSettings, *, local: bool) -> "RateLimiter | None":
    """The limiter that the settings ask for; None for no limit."""
    rate = settings.rate_limit_per_second
    if rate == "auto":
        rate = 0.0 if local else AUTO_RATE_PER_SECOND
    return RateLimiter(rate, settings.rate_limit_burst) if rate > 0 else None


class RateLimiter:
    """Counts requests by key and address: a steady rate, and a burst after a quiet time.

    The generic cell rate algorithm (ITU-T I.371, appendix A): of each sender only the time is kept at which
    it will have used up what it took. Senders that were quiet for the longest are forgotten first; once their
    burst is full again there is nothing to remember.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst_seconds = burst / per_second
        self._clock = clock
        self._used_until: OrderedDict[tuple[str, str], float] = OrderedDict()

    def count(self, key: str, address: str) -> None:
        """Counts one request.

        Raises:
            Refusal: It is one too many; `Retry-After` says in how many seconds to come again.
        """
        now = self._clock()
        sender = (key, address)
        used_until = max(now, self._used_until.get(sender, now)) + 1 / self._per_second
        wait = used_until - now - self._burst_seconds
        if wait > 1e-9:
            raise Refusal(
                RefusalBody(
                    RefusalCode.RATE_LIMITED,
                    f"More than {self._per_second:g} requests a second came from here. Nothing was taken; "
                    "send fewer and larger batches.",
                    limit=self._per_second,
                ),
                {"Retry-After": str(math.ceil(wait))},
            )
        self._used_until[sender] = used_until
        self._used_until.move_to_end(sender)
        if len(self._used_until) > _MAX_SENDERS:
            self._used_until.popitem(last=False)
