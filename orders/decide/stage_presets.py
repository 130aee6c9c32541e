"""Ready-made names of the stages: the words of boards that a team may come from. The codes stay what they are. Pure.

A preset names only what it calls otherwise. Two stages never share a name, so where a board has one word for two of
ours (a slip that waits for its day, and one that may go) the rarer one says which it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy


@dataclass(frozen=True, slots=True)
class Preset:
    label: str | Promise
    names: Mapping[str, str | Promise]


PRESETS: Mapping[str, Preset] = {
    "standard": Preset(lazy("標準の呼び名"), {}),
    "next_engine": Preset(
        lazy("ネクストエンジンの呼び方"),
        {
            "scheduled": lazy("印刷日待ち"),
            "ready": lazy("印刷待ち"),
            "in_fulfillment": lazy("印刷済み"),
            "shipped": lazy("出荷確定済み"),
        },
    ),
    "logiless": Preset(
        lazy("LOGILESS の呼び方"),
        {
            "awaiting_release": lazy("予約商品の発売日待ち"),
            "scheduled": lazy("出荷待ち（出荷予定日前）"),
            "ready": lazy("出荷待ち"),
        },
    ),
    "goqsystem": Preset(
        lazy("GoQSystem の呼び方"),
        {"review": lazy("保留（要確認）"), "ready": lazy("発送待ち"), "on_hold": lazy("保留（手動）")},
    ),
    "cross_mall": Preset(
        lazy("CROSS MALL の呼び方"),
        {"new": lazy("仮注文"), "review": lazy("注文確認"), "awaiting_stock": lazy("在庫警告")},
    ),
    "tempostar": Preset(lazy("TEMPOSTAR の呼び方"), {"new": lazy("未確認"), "review": lazy("停止タグあり")}),
    "printing": Preset(
        lazy("納品書の印刷で進める店舗向け"),
        {"ready": lazy("印刷待ち"), "in_fulfillment": lazy("印刷済み"), "shipped": lazy("発送済み")},
    ),
    "store": Preset(
        lazy("店舗受取が中心の店舗向け"),
        {"ready": lazy("受取準備待ち"), "in_fulfillment": lazy("受取準備中"), "shipped": lazy("受渡済み")},
    ),
}
