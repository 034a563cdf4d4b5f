"""The shop: its pages, and on each page the elements with the chances of being seen and clicked."""

import json
from typing import Final

import msgspec

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""A value of a custom payload field."""

SHOP_URL: Final = "https://shop.example.com"
PRODUCT_COUNT: Final = 24
PAGE_ELEMENT: Final = "html"
"""The element that stands for the page as a whole: a view of it is a page view."""

DESKTOP, MOBILE, TABLET = range(3)
"""Index of a layout in `Element.boxes`."""

_WIDTHS: Final = (1440, 390, 820)
_STRETCH: Final = (1.0, 1.9, 1.3)
"""How much longer than on a desktop a page is on each layout."""


class Box(msgspec.Struct, frozen=True):
    """The rectangle of an element in one layout, in CSS pixels from the page's upper left corner."""

    left: int
    top: int
    width: int
    height: int


class Element(msgspec.Struct, frozen=True):
    """One element on one page.

    Attributes:
        url_path: The page's path as the warehouse must find it.
        element_id: CSS identifier.
        event_title: Name of the business case.
        seen: Chance that a visitor of the page sees the element.
        clicked: Chance that one who sees it clicks it.
        leads_to: Name of the page that a click opens; empty if the visitor stays.
        boxes: Its place in each layout.
        custom: Custom payload fields that the page sends with it.
        own_fields: Those of them that are shown by value, as text.
    """

    url_path: str
    element_id: str
    event_title: str
    seen: float
    clicked: float
    leads_to: str
    boxes: tuple[Box, Box, Box]
    custom: dict[str, Json]
    own_fields: tuple[tuple[str, str], ...]


class Page(msgspec.Struct, frozen=True):
    """One page.

    Attributes:
        name: What `Element.leads_to` and the entry pages call it.
        url_path: Its path.
        queries: Query strings that occur, `?` included; one is drawn for each visit.
        leaves: Chance that a visitor who opens nothing here leaves the shop.
        pace: How long people look at an element here, against the average.
        itself: The page as a whole, whose views are page views, as the tracker sends them.
        elements: From top to bottom; the first is always seen.
    """

    name: str
    url_path: str
    queries: tuple[str, ...]
    leaves: float
    pace: float
    itself: Element
    elements: tuple[Element, ...]


_Row = tuple[str, str, float, float, str, tuple[int, int, int, int]]
"""element_id, event_title, seen, clicked, leads_to, (left, top, width, height) on a desktop."""

_ITSELF: Final[_Row] = (PAGE_ELEMENT, "page", 1.0, 0.0, "", (0, 0, 1440, 900))
_CART_ICON: Final[_Row] = ("#cart-icon", "open_cart", 0.35, 0.06, "cart", (1340, 20, 60, 40))
_SEARCH_BOX: Final[_Row] = ("#search-box", "search", 0.55, 0.11, "search", (420, 20, 480, 40))

_PAGES: Final[dict[str, tuple[str, tuple[str, ...], float, float, tuple[_Row, ...]]]] = {
    "home": (
        "/",
        ("", "", "", "?utm_source=newsletter&utm_medium=email", "?utm_source=social&utm_campaign=summer"),
        0.40,
        0.8,
        (
            ("#hero-banner", "view_promo", 1.0, 0.09, "promo", (120, 100, 1200, 420)),
            _SEARCH_BOX,
            (".category-card", "open_category", 0.80, 0.30, "catalog", (120, 560, 1200, 220)),
            (".recommended-product", "open_product", 0.55, 0.17, "product", (120, 820, 1200, 320)),
            ("#newsletter-signup", "subscribe", 0.22, 0.03, "", (420, 1900, 600, 60)),
            _CART_ICON,
        ),
    ),
    "catalog": (
        "/catalog",
        ("", "?category=shoes", "?category=bags", "?category=shoes&page=2", "?sort=price", "?foo=bar"),
        0.42,
        0.9,
        (
            (".product-card", "open_product", 1.0, 0.34, "product", (360, 220, 960, 900)),
            ("#filter-price", "filter", 0.60, 0.14, "", (120, 220, 200, 160)),
            ("#sort-select", "sort", 0.45, 0.10, "", (1120, 160, 200, 40)),
            ("#pagination-next", "next_page", 0.35, 0.22, "catalog", (900, 1240, 120, 40)),
            _CART_ICON,
        ),
    ),
    "search": (
        "/search",
        ("?q=boots", "?q=red+bag", "?q=%D1%81%D1%83%D0%BC%D0%BA%D0%B0", "?q=gift&sort=new"),
        0.50,
        0.9,
        (
            (".search-result", "open_product", 1.0, 0.34, "product", (240, 200, 960, 800)),
            _SEARCH_BOX,
            ("#search-filter", "filter", 0.30, 0.10, "", (40, 200, 180, 300)),
        ),
    ),
    "promo": (
        "/promo/summer-sale",
        ("", "?utm_source=ads&utm_campaign=summer"),
        0.55,
        0.8,
        (
            ("#promo-button", "view_sale", 1.0, 0.24, "catalog", (520, 420, 400, 80)),
            (".promo-product", "open_product", 0.60, 0.15, "product", (120, 620, 1200, 400)),
            ("#promo-terms", "read_terms", 0.15, 0.02, "", (620, 1500, 200, 20)),
        ),
    ),
    "cart": (
        "/cart",
        ("",),
        0.45,
        1.0,
        (
            (".cart-item", "open_product", 1.0, 0.07, "product", (120, 200, 840, 420)),
            ("#promo-code", "apply_promo_code", 0.55, 0.12, "", (1000, 320, 320, 40)),
            ("#checkout-button", "checkout", 0.90, 0.34, "checkout", (1000, 460, 320, 60)),
            ("#continue-shopping", "continue_shopping", 0.50, 0.13, "catalog", (120, 680, 240, 40)),
        ),
    ),
    "checkout": (
        "/checkout",
        ("", "?step=delivery", "?step=payment"),
        0.70,
        1.6,
        (
            ("#delivery-method", "choose_delivery", 1.0, 0.35, "", (120, 240, 640, 240)),
            ("#payment-method", "choose_payment", 0.85, 0.36, "", (120, 520, 640, 240)),
            ("#terms-link", "read_terms", 0.25, 0.02, "", (120, 800, 240, 20)),
            ("#submit-button", "purchase", 0.80, 0.36, "thanks", (120, 860, 320, 60)),
        ),
    ),
    "thanks": (
        "/checkout/thanks",
        ("",),
        0.75,
        1.0,
        (
            ("#track-order", "track_order", 1.0, 0.26, "orders", (520, 420, 400, 60)),
            ("#share-order", "share", 0.40, 0.04, "", (620, 520, 200, 40)),
            ("#back-to-shop", "continue_shopping", 0.50, 0.16, "home", (620, 600, 200, 40)),
        ),
    ),
    "orders": (
        "/account/orders",
        ("", "?year=2024"),
        0.60,
        1.0,
        (
            (".order-row", "open_order", 1.0, 0.31, "", (240, 200, 960, 500)),
            ("#repeat-order", "repeat_order", 0.40, 0.08, "cart", (1040, 220, 160, 40)),
            ("#help-link", "open_help", 0.30, 0.06, "help", (240, 900, 160, 20)),
        ),
    ),
    "help": (
        "/help/delivery",
        ("", "#returns"),
        0.65,
        1.8,
        (
            (".faq-item", "open_answer", 1.0, 0.28, "", (240, 240, 960, 700)),
            ("#contact-support", "contact_support", 0.45, 0.09, "", (240, 1000, 240, 40)),
            _SEARCH_BOX,
        ),
    ),
}

_PRODUCT_ROWS: Final[tuple[_Row, ...]] = (
    ("#gallery", "open_photo", 1.0, 0.23, "", (120, 160, 620, 520)),
    ("#add-to-cart", "add_to_cart", 0.85, 0.15, "", (800, 420, 320, 60)),
    ("#wishlist", "add_to_wishlist", 0.50, 0.05, "", (1140, 420, 60, 60)),
    ("#reviews-tab", "read_reviews", 0.45, 0.16, "", (120, 760, 160, 40)),
    ("#buy-now", "checkout", 0.40, 0.05, "checkout", (800, 500, 320, 60)),
    (".related-product", "open_product", 0.38, 0.14, "product", (120, 1300, 1200, 320)),
    ("#cart-icon", "open_cart", 0.45, 0.13, "cart", (1340, 20, 60, 40)),
)


def scalar_fields(custom: dict[str, Json]) -> tuple[tuple[str, str], ...]:
    """Custom fields that the warehouse must show by value: texts, numbers and booleans."""
    return tuple(
        (name, _as_text(value)) for name, value in custom.items() if isinstance(value, str | int | float)
    )


def _as_text(value: str | float | bool) -> str:
    """A value as people read it: a whole number has no `.0`."""
    if isinstance(value, bool):
        return json.dumps(value)
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _build_elements(url_path: str, rows: tuple[_Row, ...], custom: dict[str, Json]) -> tuple[Element, ...]:
    return tuple(
        Element(
            url_path=url_path,
            element_id=element_id,
            event_title=event_title,
            seen=seen,
            clicked=clicked,
            leads_to=leads_to,
            boxes=(_place(box, DESKTOP), _place(box, MOBILE), _place(box, TABLET)),
            custom=custom,
            own_fields=scalar_fields(custom),
        )
        for element_id, event_title, seen, clicked, leads_to, box in rows
    )


def _place(box: tuple[int, int, int, int], layout: int) -> Box:
    left, top, width, height = box
    scale = _WIDTHS[layout] / _WIDTHS[DESKTOP]
    # Narrow screens shrink what is wide, but a button stays as large as a thumb.
    return Box(
        left=round(left * scale),
        top=round(top * _STRETCH[layout]),
        width=max(44, round(width * scale)),
        height=max(44, height) if layout != DESKTOP else height,
    )


def _build_page(
    name: str,
    url_path: str,
    queries: tuple[str, ...],
    leaves: float,
    pace: float,
    rows: tuple[_Row, ...],
    custom: dict[str, Json],
) -> Page:
    itself, *elements = _build_elements(url_path, (_ITSELF, *rows), custom)
    return Page(name, url_path, queries, leaves, pace, itself, tuple(elements))


def _build_pages() -> dict[str, Page]:
    pages = {name: _build_page(name, *page, custom={}) for name, page in _PAGES.items()}
    for number in range(1, PRODUCT_COUNT + 1):
        name, path = f"product {number}", f"/product/{100 + number}"
        custom: dict[str, Json] = {
            "product_id": 100 + number,
            "price": round(9.9 + 7.35 * (number * 7 % PRODUCT_COUNT), 2),
            "currency": "EUR",
        }
        pages[name] = _build_page(name, path, ("", "", "?color=red"), 0.45, 1.2, _PRODUCT_ROWS, custom)
    return pages


PAGES: Final = _build_pages()
"""Every page by name; the products are `product 1` to `product 24`, which `leads_to` calls `product`."""
