"""What a user agent tells: whether it is a bot, and what kind of device it runs on.

Both come from device-detector's lists, which are maintained for Matomo. Telling the device takes about 20 ms,
so each different text is looked at once, and only where the event does not name its type of device.
"""

from functools import lru_cache
from importlib.metadata import version
from typing import Final

from clickstream.contract import DeviceType

_LIBRARY: Final = "device-detector"
_MAX_CHARACTERS: Final = 512
"""How much of a user agent is looked at: browsers send less, and the time to search grows with the length."""

_TYPES: Final = {
    "smartphone": DeviceType.MOBILE,
    "feature phone": DeviceType.MOBILE,
    "phablet": DeviceType.MOBILE,
    "portable media player": DeviceType.MOBILE,
    "tablet": DeviceType.TABLET,
}
"""The library's types of device that are not a desktop."""


_OWN_RULES: Final = 2
"""Counts the versions of what this module decides itself."""


@lru_cache(maxsize=1)
def rules_version() -> str:
    """Names the lists by which user agents are judged; another version may judge otherwise."""
    return f"{_LIBRARY} {version(_LIBRARY)}, {_OWN_RULES}"


@lru_cache(maxsize=65_536)
def find_bot(user_agent: str) -> str:
    """The name of the bot that sends a user agent; empty if it is a person's, or empty itself."""
    if not user_agent:
        return ""
    # Takes 0.4 s to import, which a process that sees no events should not pay.
    from device_detector import DeviceDetector  # noqa: PLC0415

    detector = DeviceDetector(user_agent[:_MAX_CHARACTERS], check_cache=False)
    detector.parse_bot()
    bot = detector.all_details.get("bot") or {}
    return str(bot.get("name") or "unnamed bot") if bot else ""


@lru_cache(maxsize=65_536)
def derive_device_type(user_agent: str) -> str:
    """What type of device sends a user agent: desktop unless the library knows better."""
    if not user_agent:
        return DeviceType.DESKTOP.value
    from device_detector import DeviceDetector  # noqa: PLC0415

    detector = DeviceDetector(
        user_agent[:_MAX_CHARACTERS], skip_bot_detection=True, check_cache=False
    ).parse()
    # The library takes some programs for phones: it finds models in names such as Axios and Wget.
    if detector.client_type() == "library" and not detector.os_name():
        return DeviceType.DESKTOP.value
    found = str(getattr(detector.device_type(), "value", detector.device_type()))
    if found:
        return _TYPES.get(found, DeviceType.DESKTOP).value
    # The library leaves the type open for some phones, such as Opera Mini on Java ME.
    runs_on_phones = detector.uses_mobile_browser() or (
        detector.os is not None and bool(detector.os_name()) and not detector.os.is_desktop()
    )
    return (DeviceType.MOBILE if runs_on_phones else DeviceType.DESKTOP).value


def prepare_lists() -> None:
    """Loads the lists of bots, so that processes forked from this one have them."""
    find_bot("Mozilla/5.0")
