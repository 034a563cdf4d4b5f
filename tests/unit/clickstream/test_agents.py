"""Real user agents: which are bots, and what the others run on."""

from pathlib import Path

import pytest

from clickstream.etl.device_memory import DeviceMemory
from clickstream.event.agents import derive_device_type, find_bot

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

DEVICES: list[tuple[str, str, str]] = [
    ("nothing", "", "desktop"),
    ("firefox_linux", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "desktop"),
    (
        "safari_mac",
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_SAFARI} Version/17.0 Safari",
        "desktop",
    ),
    (
        "chromebook",
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Chrome/120.0.0.0 Safari/537.36",
        "desktop",
    ),
    (
        "old_ie_with_tablet_pc_services",
        "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0; InfoPath.2; Tablet PC 2.0)",
        "desktop",
    ),
    *[
        (program.partition("/")[0].lower(), program, "desktop")
        for program in (
            "curl/8.4.0",
            "Wget/1.21.3",
            "axios/1.6.0",
            "python-requests/2.31",
            "Go-http-client/2.0",
        )
    ],
    ("iphone", f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {_SAFARI} Mobile/15E148", "mobile"),
    ("ipod", f"Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5 like Mac OS X) {_SAFARI} Mobile/15E148", "mobile"),
    (
        "android_phone",
        f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {_WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36",
        "mobile",
    ),
    (
        "android_reduced",
        f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/137.0.0.0 Mobile Safari/537.36",
        "mobile",
    ),
    ("android_firefox", "Mozilla/5.0 (Android 13; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0", "mobile"),
    ("dalvik", "Dalvik/2.1.0 (Linux; U; Android 9; SM-G960F Build/PPR1.180610.011)", "mobile"),
    ("ios_app", "Groceries/4.1 CFNetwork/1410.0.3 Darwin/22.6.0", "mobile"),
    (
        "opera_mini_java",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8",
        "mobile",
    ),
    ("feature_phone", "Nokia6100/1.0 (04.01) Profile/MIDP-1.0 Configuration/CLDC-1.0", "mobile"),
    ("kaios", "Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5", "mobile"),
    (
        "ipad",
        f"Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) {_SAFARI} Version/16.7 Mobile/15E148",
        "tablet",
    ),
    (
        "android_tablet",
        f"Mozilla/5.0 (Linux; Android 14; SM-X910) {_WEBKIT} Chrome/126.0.0.0 Safari/537.36",
        "tablet",
    ),
    (
        "fire_tablet",
        f"Mozilla/5.0 (Linux; Android 11; KFTRWI) {_WEBKIT} Silk/137.3.1 like Chrome/137 Safari",
        "tablet",
    ),
    (
        "kindle",
        "Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ (KHTML, like Gecko) "
        "Version/5.0 Safari/533.2+ Kindle/3.0+",
        "tablet",
    ),
    (
        "kobo",
        f"Mozilla/5.0 (Linux; U; Android 2.0; en-us;) {_WEBKIT} Mobile Safari/538.1 (Kobo Touch 0377/4.20)",
        "tablet",
    ),
    ("fire_tv", f"Mozilla/5.0 (Linux; Android 9; AFTT) {_WEBKIT} Silk/108.2 Safari", "desktop"),
    (
        "samsung_tv",
        f"Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) {_WEBKIT} 76.0.3809.146/6.0 TV Safari/537.36",
        "desktop",
    ),
    ("playstation", "Mozilla/5.0 (PlayStation 4 3.11) AppleWebKit/537.73 (KHTML, like Gecko)", "desktop"),
]

_GOOGLEBOT = "(compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BOTS: list[tuple[str, str]] = [
    (
        f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) {_WEBKIT} Chrome/120 Mobile Safari {_GOOGLEBOT}",
        "Googlebot",
    ),
    ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "BingBot"),
    ("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "YandexBot"),
    (f"Mozilla/5.0 {_WEBKIT}; compatible; GPTBot/1.0; +https://openai.com/gptbot)", "GPTBot"),
    ("Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "UptimeRobot"),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "Facebook Crawler"),
]

PEOPLE = [agent for _, agent, _ in DEVICES] + [
    f"Mozilla/5.0 (Linux; Android 9; CUBOT_P20) {_WEBKIT} Chrome/90 Mobile Safari/537.36",
]


@pytest.mark.parametrize(("name", "user_agent", "device_type"), DEVICES, ids=[row[0] for row in DEVICES])
def test_the_type_of_device_is_told_by_the_user_agent(name: str, user_agent: str, device_type: str) -> None:
    assert derive_device_type(user_agent) == device_type


@pytest.mark.parametrize(("user_agent", "bot"), BOTS, ids=[bot for _, bot in BOTS])
def test_a_bot_is_known_by_its_name(user_agent: str, bot: str) -> None:
    assert find_bot(user_agent) == bot


@pytest.mark.parametrize("user_agent", PEOPLE)
def test_people_are_not_bots(user_agent: str) -> None:
    assert find_bot(user_agent) == ""


def test_a_device_is_remembered_by_the_next_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agents = [agent for _, agent, _ in DEVICES[:10]]
    first = DeviceMemory(tmp_path / "devices.sqlite").derive(agents)
    monkeypatch.setattr("clickstream.etl.device_memory.derive_device_type", lambda _: "asked again")

    second = DeviceMemory(tmp_path / "devices.sqlite").derive([*agents, "new"])

    assert second == {**first, "new": "asked again"}
    assert "Mozilla" not in (tmp_path / "devices.sqlite").read_bytes().decode("latin-1")


def test_a_memory_that_cannot_be_used_costs_time_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "devices.sqlite"
    path.write_bytes(b"not a database" * 100)

    assert DeviceMemory(path).derive(["curl/8.4.0"]) == {"curl/8.4.0": "desktop"}
