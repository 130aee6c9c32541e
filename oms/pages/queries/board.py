"""The page 数字: cards, charts and tables out of the sums, with the words around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fulfillment.services import costs
from oms.kernel.templatetags.desk import yen
from oms.pages import charts
from oms.pages.queries import numbers as facts
from oms.pages.queries import returned
from oms.pages.queries.numbers import Counted, Period, Sums, percent
from orders.decide.numbers import NUMBERS, quantile
from orders.decide.reasons import CATALOGUE
from orders.models import Shop
from orders.models.order import Stage

REASONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Card:
    """One number. `beside` says a second figure; `counts` lead to the rows behind; `meaning` is its definition."""

    label: str
    value: str
    beside: str
    counts: Sequence[Counted]
    spark: SafeString
    meaning: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing and the same values as a table."""

    title: str
    drawing: SafeString
    legend: Sequence[tuple[str, int]]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def board(shops: Sequence[Shop], period: Period, *, costs_told: bool) -> dict[str, Any]:
    """Everything the page shows. A fixed number of queries. Without `costs_told` nothing says what we pay."""
    found = facts.sums(period)
    shown = [shop for shop in shops if not period.shops or shop.pk in period.shops]
    delays = facts.publish_delays(period)
    whole, reasons = facts.reason_rows(period)
    clicks = facts.clicks_by_reason(period)
    return {
        "cards": [
            *_cards(period, found, whole, delays.get(0, facts.Pushes())),
            *([_profit(period, found), _cost(period, found)] if costs_told else []),
        ],
        "profits": facts.profit_rows(shown, period, found) if costs_told else [],
        "charts": _charts(shown, period, found),
        "shop_rows": facts.shop_rows(shown, period, found, delays),
        "push_url": f"{reverse('pages:number-pushes')}?{_days(period)}",
        "reasons": [
            _reason(row, period, reasons[0].raised, clicks.get(row.code, 0)) for row in reasons[:REASONS_SHOWN]
        ],
        "returned": {"reasons": returned.by_reason(period), "skus": returned.by_sku(period)},
        "ages": _ages(period.shops),
        "swept_at": facts.swept_at(),
    }


def _days(period: Period) -> str:
    return f"from={period.since.isoformat()}&to={period.until.isoformat()}"


def _cards(period: Period, found: Sums, whole: facts.ReasonRow, pushes: facts.Pushes) -> list[Card]:
    orders, shipped = _counted("orders", period, found), _counted("shipped", period, found)
    return [
        *_hands(period, found, orders, shipped),
        _release(period, found),
        _review(period, whole),
        _card_time(period),
        _rate(
            _("出荷遅延率"),
            "late",
            "shipped",
            _("出荷期限を過ぎて出荷 ÷ 出荷（自社出荷のみ）"),
            period=period,
            found=found,
        ),
        _rate(
            _("店舗都合キャンセル率"),
            "fault",
            "own",
            _("店舗の操作によるキャンセル ÷ 自社出荷の受注"),
            period=period,
            found=found,
        ),
        _rate(
            _("売り越し率"),
            "oversold",
            "orders",
            _("在庫を超えてモールが受けた受注 ÷ 受注"),
            period=period,
            found=found,
        ),
        _rate(
            _("返品率"),
            "returned",
            "shipped",
            _("返品・交換・持戻りのあった受注 ÷ 出荷（お断り・取り下げは除く）"),
            period=period,
            found=found,
        ),
        _publish(period, pushes),
        _import(found, orders),
        _split(period, found, shipped),
        _rate(
            _("会員購買率"),
            "known",
            "orders",
            _("だれの購入かわかる受注 ÷ 受注"),
            period=period,
            found=found,
        ),
    ]


def _counted(code: str, period: Period, found: Sums) -> Counted:
    return Counted(found.count(code), facts.orders_url(code, period), str(NUMBERS[code].label))


def _hands(period: Period, found: Sums, orders: Counted, shipped: Counted) -> list[Card]:
    touchless, loose = _counted("touchless", period, found), _counted("untouched_ne", period, found)
    clicks = Counted(facts.actions(period).count(), f"{reverse('pages:number-actions')}?{period.query()}", _("操作"))
    per_order = f"{clicks.n / orders.n:.2f}" if orders.n else "–"
    return [
        Card(
            _("自動出荷率"),
            rate(touchless.n, shipped.n),
            _("一括操作を数えない場合 %(rate)s") % {"rate": rate(loose.n, shipped.n)},
            [touchless, loose, shipped],
            _spark(period, lambda day: percent(found.count("touchless", day=day), found.count("shipped", day=day))),
            _("取込から出荷指示まで人の操作がない受注 ÷ 出荷。一括操作を数えない場合は、1件ずつの操作だけを数えます。"),
        ),
        Card(
            _("1件あたり操作数"),
            per_order,
            "",
            [clicks, _counted("touched", period, found), orders],
            _spark(period, lambda day: found.sum("touched", day=day)),
            _("人の操作（一括は1回）÷ 受注。出荷作業は数えません。"),
        ),
    ]


def _release(period: Period, found: Sums) -> Card:
    spread = found.spread("release_s")
    return Card(
        _("出荷指示までの時間"),
        span(quantile(spread, 0.5)),
        _("90%% は %(time)s 以内") % {"time": span(quantile(spread, 0.9))},
        [_counted("released", period, found)],
        SafeString(""),
        _("取込から出荷指示までの中央値（±2.5%）"),
    )


def _review(period: Period, whole: facts.ReasonRow) -> Card:
    url = f"{reverse('pages:number-reasons')}?{period.query(outcome='decided')}"
    return Card(
        _("確認処理時間"),
        span(whole.median_s),
        "",
        [Counted(whole.decided, url, _("人が確認した理由"))],
        SafeString(""),
        _("確認理由が出てから、人が判断するまでの中央値"),
    )


def _card_time(period: Period) -> Card:
    took = facts.card_time(period)
    url = f"{reverse('pages:number-decisions')}?{period.query()}"
    return Card(
        _("カード1枚の判断時間"),
        span(took.median),
        _("90%% は %(time)s 以内") % {"time": span(took.p90)},
        [Counted(took.n, url, _("カードでの判断"))],
        SafeString(""),
        _("確認待ちのカードを見てから、判断するまでの中央値"),
    )


def _rate(label: str, part: str, of: str, meaning: str, *, period: Period, found: Sums) -> Card:
    few, all_ = _counted(part, period, found), _counted(of, period, found)
    line = _spark(period, lambda day: percent(found.count(part, day=day), found.count(of, day=day)))
    return Card(label, rate(few.n, all_.n), "", [few, all_], line, meaning)


def _publish(period: Period, pushes: facts.Pushes) -> Card:
    url = f"{reverse('pages:number-pushes')}?{period.query()}"
    sent = _("95%% は %(time)s 以内、最長 %(worst)s") % {"time": span(pushes.p95), "worst": span(pushes.worst)}
    told = _("モールの確認まで %(time)s（95%% は %(p95)s、最長 %(worst)s）") % {
        "time": span(pushes.told_median), "p95": span(pushes.told_p95), "worst": span(pushes.told_worst),
    }  # fmt: skip
    return Card(
        _("在庫反映遅延"),
        span(pushes.median),
        f"{sent} · {told}",
        [Counted(pushes.n, url, _("在庫の送信")), Counted(pushes.told, f"{url}&told=1", _("モールの確認"))],
        SafeString(""),
        _("在庫が変わってから、モールへ送るまでの中央値と、モールの在庫がその数になったと確かめるまでの中央値"),
    )


def _import(found: Sums, orders: Counted) -> Card:
    spread = found.spread("import_s")
    return Card(
        _("受注取込遅延"),
        span(quantile(spread, 0.5)),
        _("95%% は %(time)s 以内") % {"time": span(quantile(spread, 0.95))},
        [orders],
        SafeString(""),
        _("注文から受注一覧に出るまでの中央値（±2.5%）"),
    )


def _split(period: Period, found: Sums, shipped: Counted) -> Card:
    split = _counted("split", period, found)
    parcels = found.sum("shipped")
    each = f"{parcels / shipped.n:.2f}" if shipped.n else "–"
    return Card(
        _("分割率"),
        rate(split.n, shipped.n),
        _("1件あたり %(n)s 個口") % {"n": each},
        [split, shipped],
        _spark(period, lambda day: percent(found.count("split", day=day), found.count("shipped", day=day))),
        _("2つ以上の出荷に分けた受注 ÷ 出荷"),
    )


def _profit(period: Period, found: Sums) -> Card:
    gained, net, n = found.sum("profited"), found.sum("profited_net"), found.count("profited")
    url = f"{reverse('pages:number-profits')}?{period.query()}"
    return Card(
        _("粗利"),
        yen(gained) if n else "–",
        _("税抜売上の %(rate)s・1件あたり %(each)s") % {"rate": rate(gained, net), "each": yen(round(gained / n))}
        if n
        else _("仕入価格のわかる出荷がまだありません。"),
        [Counted(n, url, str(NUMBERS["profited"].label)), _counted("shipped", period, found)],
        _spark(period, lambda day: found.sum("profited", day=day) if found.count("profited", day=day) else None),
        _("商品の税抜売上 − 値引・店舗クーポン − 仕入価格 − 送料（わかるもの）。仕入価格のわかる出荷だけを数えます。"),
    )


def _cost(period: Period, found: Sums) -> Card:
    """Two queries, for the settings."""
    known, settings = _counted("costed", period, found), costs.costs()

    def spent(day: date | None = None) -> costs.Spent:
        freight, parcels, card_s, touches = (
            found.sum(name, day=day) for name in ("costed", "costed_parcels", "costed_card_s", "costed_touches")
        )
        return settings.spent(freight=freight, parcels=parcels, card_s=card_s, touches=touches)

    def each(day: date) -> float | None:
        n = found.count("costed", day=day)
        return spent(day).yen / n if n else None

    whole, n = spent(), known.n
    parts = {"freight": whole.freight, "material": whole.material, "work": whole.work}
    said = _("送料 %(freight)s・資材 %(material)s・人件費 %(work)s") % {
        name: yen(round(part / n)) if n else "–" for name, part in parts.items()
    }
    if not settings.rates:
        said = _("送料が未設定です。出荷コストで設定すると、以後の出荷から数えます。")
    return Card(
        _("1件あたりコスト"),
        yen(round(whole.yen / n)) if n else "–",
        said,
        [known],
        _spark(period, each),
        _("（送料＋資材費＋人の時間×人件費）÷ 送料のわかる出荷（税抜）"),
    )


def _spark(period: Period, value: Callable[[date], float | None]) -> SafeString:
    if len(period.days) < 2:
        return SafeString("")
    return charts.sparkline([value(day) for day in period.days], said=_("日ごとの推移"))


def _charts(shops: Sequence[Shop], period: Period, found: Sums) -> list[Chart]:
    labels = [f"{day.month}/{day.day}" for day in period.days]
    tone = {shop.pk: place % 8 + 1 for place, shop in enumerate(shops)}
    legend = [(shop.name, tone[shop.pk]) for shop in shops]

    def by_shop(value: Callable[[int, date], int]) -> list[charts.Series]:
        return [charts.Series(shop.name, [value(shop.pk, day) for day in period.days], tone[shop.pk]) for shop in shops]

    orders = by_shop(lambda shop, day: found.n["orders"].get((day, shop), 0))
    sales = by_shop(lambda shop, day: found.amount["sold"].get((day, shop), 0))
    strict = [percent(found.count("touchless", day=day), found.count("shipped", day=day)) for day in period.days]
    loose = [percent(found.count("untouched_ne", day=day), found.count("shipped", day=day)) for day in period.days]
    hands = [charts.Series(_("操作なし"), strict, 1), charts.Series(_("一括操作を数えない"), loose, 2)]
    head = [_("日"), *(shop.name for shop in shops)]
    return [
        Chart(
            _("受注"),
            charts.stacked_bars(labels, orders, said=_("日ごとの受注件数、店舗別")),
            legend,
            head,
            _table(labels, orders, lambda n: f"{n:,.0f}"),
        ),
        Chart(
            _("売上"),
            charts.stacked_bars(labels, sales, said=_("日ごとの売上、店舗別")),
            legend,
            head,
            _table(labels, sales, lambda n: yen(int(n))),
        ),
        Chart(
            _("自動出荷率"),
            charts.lines(labels, hands, said=_("日ごとの自動出荷率"), top=100, unit="%"),
            [(one.label, one.tone) for one in hands],
            [_("日"), *(one.label for one in hands)],
            _table(labels, hands, lambda n: f"{n:.1f}%"),
        ),
    ]


def _table(labels: Sequence[str], series: Sequence[charts.Series], shown: Callable[[float], str]) -> list[list[str]]:
    return [
        [label, *("–" if (value := one.values[i]) is None else shown(value) for one in series)]
        for i, label in enumerate(labels)
    ]


@dataclass(frozen=True, slots=True)
class ReasonLine:
    label: str
    raised: Counted
    decided: Counted
    itself: Counted
    open: Counted
    median: str
    bar: SafeString
    clicks: Counted
    per_order: str


def _reason(row: facts.ReasonRow, period: Period, most: int, clicks: int) -> ReasonLine:
    def counted(n: int, outcome: str) -> Counted:
        query = period.query(code=row.code, **({"outcome": outcome} if outcome else {}))
        return Counted(n, f"{reverse('pages:number-reasons')}?{query}")

    label = str(CATALOGUE[row.code].label) if row.code in CATALOGUE else row.code
    parts = [(_("人が確認"), row.decided, 1), (_("自動解消"), row.itself, 3), (_("未確認"), row.open, 2)]
    said = "、".join(f"{name} {n}" for name, n, _tone in parts)
    return ReasonLine(
        label,
        counted(row.raised, ""),
        counted(row.decided, "decided"),
        counted(row.itself, "itself"),
        counted(row.open, "open"),
        span(row.median_s),
        charts.share_bar(parts, whole=most, said=f"{label}: {said}"),
        Counted(clicks, f"{reverse('pages:number-actions')}?{period.query(code=row.code)}"),
        f"{clicks / row.raised:.1f}",
    )


@dataclass(frozen=True, slots=True)
class AgeLine:
    label: str
    parts: Sequence[Counted]
    total: int
    bar: SafeString


def _ages(shops: Sequence[int]) -> list[AgeLine]:
    rows = facts.stage_ages(shops)
    most = max((row.total for row in rows), default=0)
    return [
        AgeLine(
            label := str(Stage(row.stage).label),
            row.parts,
            row.total,
            charts.share_bar(
                [(part.label, part.n, tone) for part, tone in zip(row.parts, (3, 2, 4), strict=True)],
                whole=most,
                said=f"{label}: " + "、".join(f"{part.label} {part.n}" for part in row.parts),
            ),
        )
        for row in rows
    ]


def rate(part: int, whole: int) -> str:
    """A share in percent; small ones with two digits, since limits are small."""
    share = percent(part, whole)
    if share is None:
        return "–"
    return f"{share:.2f}%" if 0 < share < 1 else f"{share:.1f}%"


def span(seconds: float | None) -> str:
    """A time in the unit that fits: 0.4秒, 12秒, 5.2分, 3.1時間, 2.4日."""
    if seconds is None:
        return "–"
    if seconds < 60:
        n = f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"
        return ngettext("%(n)s秒", "%(n)s秒", 2) % {"n": n}
    if seconds < 3600:
        return ngettext("%(n)s分", "%(n)s分", 2) % {"n": f"{seconds / 60:.3g}"}
    if seconds < 2 * 86400:
        return ngettext("%(n)s時間", "%(n)s時間", 2) % {"n": f"{seconds / 3600:.3g}"}
    return ngettext("%(n)s日", "%(n)s日", 2) % {"n": f"{seconds / 86400:.3g}"}
