"""The devices: what their browsers send, and how common they are."""

from typing import Final

import msgspec

from generator.shop import DESKTOP, MOBILE, TABLET


class Device(msgspec.Struct, frozen=True):
    """A kind of device.

    Attributes:
        device_type: `desktop`, `mobile` or `tablet`.
        layout: Which layout of the shop it shows.
        user_agent: What its browser sends.
        weight: How common it is among devices of its layout.
    """

    device_type: str
    layout: int
    user_agent: str
    weight: int


_TYPES: Final = {DESKTOP: "desktop", MOBILE: "mobile", TABLET: "tablet"}

_CHROME: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome"
_SAFARI: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_SAMSUNG: Final = "AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome"
_SILK: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Silk/137.3.1 like Chrome"

_WINDOWS: Final = "Windows NT 10.0; Win64; x64"
_MAC: Final = "Macintosh; Intel Mac OS X 10_15_7"
_LINUX: Final = "X11; Linux x86_64"
_IPHONE: Final = "iPhone; CPU iPhone OS 18_5 like Mac OS X"
_OLD_IPHONE: Final = "iPhone; CPU iPhone OS 17_7 like Mac OS X"
_IPAD: Final = "iPad; CPU OS 17_7 like Mac OS X"
_OLD_IPAD: Final = "iPad; CPU OS 16_7 like Mac OS X"
_XIAOMI: Final = "Linux; arm_64; Android 13; M2101K6G"

_BROWSERS: Final = (
    (DESKTOP, 30, _WINDOWS, f"{_CHROME}/137.0.0.0 Safari/537.36"),
    (DESKTOP, 12, _WINDOWS, f"{_CHROME}/136.0.0.0 Safari/537.36"),
    (DESKTOP, 9, _WINDOWS, f"{_CHROME}/137.0.0.0 Safari/537.36 Edg/137.0.0.0"),
    (DESKTOP, 7, _WINDOWS, f"{_CHROME}/134.0.0.0 YaBrowser/25.4.0.0 Safari/537.36"),
    (DESKTOP, 8, f"{_WINDOWS}; rv:139.0", "Gecko/20100101 Firefox/139.0"),
    (DESKTOP, 11, _MAC, f"{_SAFARI} Version/18.5 Safari/605.1.15"),
    (DESKTOP, 10, _MAC, f"{_CHROME}/137.0.0.0 Safari/537.36"),
    (DESKTOP, 4, _LINUX, f"{_CHROME}/137.0.0.0 Safari/537.36"),
    (DESKTOP, 3, "X11; Ubuntu; Linux x86_64; rv:139.0", "Gecko/20100101 Firefox/139.0"),
    (MOBILE, 28, _IPHONE, f"{_SAFARI} Version/18.5 Mobile/15E148 Safari/604.1"),
    (MOBILE, 9, _OLD_IPHONE, f"{_SAFARI} Version/17.7 Mobile/15E148 Safari/604.1"),
    (MOBILE, 4, _IPHONE, f"{_SAFARI} CriOS/137.0.7151.51 Mobile/15E148 Safari/604.1"),
    (MOBILE, 30, "Linux; Android 10; K", f"{_CHROME}/137.0.0.0 Mobile Safari/537.36"),
    (MOBILE, 8, "Linux; Android 14; SM-S921B", f"{_SAMSUNG}/130.0.0.0 Mobile Safari/537.36"),
    (MOBILE, 6, "Linux; Android 15; Pixel 9", f"{_CHROME}/137.0.7151.61 Mobile Safari/537.36"),
    (MOBILE, 3, "Android 15; Mobile; rv:139.0", "Gecko/139.0 Firefox/139.0"),
    (MOBILE, 5, _XIAOMI, f"{_CHROME}/134.0.6998.135 YaBrowser/25.4.4.104 Mobile Safari/537.36"),
    (TABLET, 16, _IPAD, f"{_SAFARI} Version/17.7 Mobile/15E148 Safari/604.1"),
    (TABLET, 6, _OLD_IPAD, f"{_SAFARI} CriOS/137.0.7151.51 Mobile/15E148 Safari/604.1"),
    (TABLET, 9, "Linux; Android 14; SM-X710", f"{_CHROME}/137.0.0.0 Safari/537.36"),
    (TABLET, 3, "Linux; Android 11; KFTRWI", f"{_SILK}/137.0.0.0 Safari/537.36"),
)
"""Layout, weight, platform, browser."""

DEVICES: Final = tuple(
    Device(_TYPES[layout], layout, f"Mozilla/5.0 ({platform}) {browser}", weight)
    for layout, weight, platform, browser in _BROWSERS
)
