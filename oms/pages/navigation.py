"""What stands around every page: product name, navigation by right, the places of search and health.

Entries are URL names. One that no app serves (yet), or whose right the person lacks, is not shown.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oms.kernel.links import url_if_served


@dataclass(frozen=True)
class Entry:
    """`key` is pressed after `w` (`g` alone belongs to merging). `more`: in the menu behind the bar, for what is
    not opened all day."""

    label: str | Promise
    url_name: str
    permission: str
    icon: str
    key: str = ""
    query: str = ""
    more: bool = False


@dataclass(frozen=True)
class Link:
    label: str | Promise
    url: str
    icon: str
    key: str
    current: bool


ENTRIES = (
    Entry(_("受注"), "orders:list", "orders.view_order", "orders", "o"),
    Entry(_("確認待ち"), "orders:inbox", "orders.review_order", "review", "k"),
    Entry(_("出荷"), "fulfillment:list", "fulfillment.view_shipment", "ship", "s"),
    Entry(_("入金"), "orders:payments", "orders.record_payment", "yen", "n"),
    Entry(_("在庫"), "inventory:list", "inventory.view_sku", "stock", "z"),
    Entry(_("会員"), "customers:list", "customers.view_member", "members", "m"),
    Entry(_("店舗・モール"), "channels:list", "channels.view_connection", "shops", "t"),
    Entry(_("受注の手入力"), "orders:manual-new", "orders.add_order", "note", "a", more=True),
    Entry(_("返品"), "orders:returns", "orders.view_returncase", "undo", "c", more=True),
    Entry(_("欠品・引当待ち"), "fulfillment:shortages", "orders.view_order", "clock", "q", more=True),
    Entry(_("数字"), "pages:numbers", "orders.view_order", "chart", "d", more=True),
    Entry(_("メール"), "orders:mails", "orders.send_mail", "mail", "e", more=True),
    Entry(_("請求書・領収書"), "orders:papers", "orders.view_issueddocument", "print", "i", more=True),
    Entry(_("掛売・合計請求書"), "orders:billing", "orders.view_issueddocument", "yen", more=True),
    Entry(_("作業"), "orders:tasks", "orders.view_ordertask", "check", "j", more=True),
    Entry(_("一括操作の記録"), "orders:bulk-log", "orders.view_order", "note", "l", more=True),
    Entry(_("書き出し"), "orders:exports", "orders.export_order", "download", "x", more=True),
    Entry(_("自動処理"), "orders:rules", "orders.manage_rules", "rule", "r", more=True),
    Entry(_("確認理由の設定"), "orders:reasons", "orders.manage_reasons", "review", more=True),
    Entry(_("出荷カレンダー"), "fulfillment:calendar", "orders.change_shippingplan", "clock", more=True),
    Entry(_("送り状の設定"), "fulfillment:waybill-settings", "fulfillment.change_waybillsetting", "print", more=True),
    Entry(_("同梱"), "fulfillment:merge-list", "orders.change_order", "ship", more=True),
    Entry(_("送信箱"), "pages:outbox", "kernel.view_effect", "outbox", "b", more=True),
    Entry(_("データ移行"), "orders:move-in", "orders.move_in", "download", "y", more=True),
    Entry(_("操作の記録"), "orders:history", "orders.manage_privacy", "note", more=True),
    Entry(_("設定の変更"), "pages:setting-changes", "kernel.view_settingversion", "note", more=True),
    Entry(_("閲覧履歴"), "orders:personal-views", "orders.manage_privacy", "search", more=True),
    Entry(_("個人情報の保存期間"), "orders:privacy", "orders.manage_privacy", "lock", more=True),
    Entry(_("ログインの決まり"), "pages:sign-in-rules", "kernel.manage_sign_in", "lock", more=True),
    Entry(_("店舗端末"), "pages:store-devices", "kernel.manage_store_devices", "lock", more=True),
    Entry(_("利用者"), "pages:people", "kernel.manage_users", "lock", "u", more=True),
)


@dataclass(frozen=True)
class Panel:
    """A place on the home page that an app fills: `url` answers its fragment."""

    url: str
    title: str | Promise
    wide: bool


PANELS = (
    ("orders:home-panel", _("受注の状況"), "orders.view_order", True),
    ("fulfillment:home-panel", _("出荷の状況"), "fulfillment.view_shipment", False),
    ("channels:home-panel", _("店舗の状況"), "channels.view_connection", False),
    ("channels:expiry-panel", _("認証情報の期限"), "channels.view_connection", False),
    ("inventory:home-panel", _("在庫の状況"), "inventory.view_sku", False),
    ("pages:outbox-panel", _("送信箱"), "kernel.view_effect", False),
)


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Fragments pay nothing: the navigation is computed when a template asks for it."""
    return {
        "product_name": settings.PRODUCT_NAME,
        "nav_links": partial(links, request),
        "nav_more": partial(links, request, more=True),
        "url_if_any": url_or_empty,
        "search_url": partial(url_or_empty, "pages:search"),
        "health_url": partial(url_or_empty, "pages:health-strip"),
        "page_languages": settings.LANGUAGES,
        "pin_idle_s": settings.PIN_IDLE_S + 5,  # when a page without scripts goes back to the names
    }


def links(request: HttpRequest, *, more: bool = False) -> list[Link]:
    """The entries of the bar, or of the menu behind it, that this person may open; the one the page belongs to is
    current (the longest that fits)."""
    if not request.user.is_authenticated:
        return []
    open_to = [
        (entry, url)
        for entry in ENTRIES
        if request.user.has_perm(entry.permission) and (url := url_or_empty(entry.url_name))
    ]
    here = max((url for _entry, url in open_to if request.path.startswith(url)), key=len, default="")
    return [
        Link(entry.label, url + entry.query, entry.icon, entry.key, url == here)
        for entry, url in open_to
        if entry.more == more
    ]


def panels(request: HttpRequest) -> list[Panel]:
    """The home page's panels that exist and that this person may see."""
    return [
        Panel(url, title, wide)
        for name, title, permission, wide in PANELS
        if request.user.has_perm(permission) and (url := url_or_empty(name))
    ]


def url_or_empty(name: str) -> str:
    """The URL of a name, or "" where no app serves it, or not to this person's shops and places."""
    return url_if_served(name)
