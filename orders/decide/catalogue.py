"""The reason catalogue 確認理由: what may stop an order or deserve a look, and what a person can do about it.

Levels, thresholds, labels and whether a reason is looked for at all are the company's to change
(`orders.services.reason_settings`); what stands here is how a new installation begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.services import blacklist
from oms.kernel.own_words import own_word
from orders.models.reason import Level

OFFICE, EVERYWHERE = "office", "everywhere"


@dataclass(frozen=True, slots=True)
class Reason:
    """A catalogue entry. `clearable`: a person may accept it; otherwise only its cause going away closes it.

    `active`: looked for from the start. `params` are thresholds by name. `shown` says whether the warehouse sees it
    too. `note`: closing it asks for a word why.
    """

    label: str | Promise
    level: str
    next_step: str | Promise
    clearable: bool = True
    group: str = "data"
    active: bool = True
    params: Mapping[str, Any] = field(default_factory=dict)
    shown: str = OFFICE
    note: bool = False
    standard: str | Promise = ""  # the label that the product gives; `label` is the company's own where it has one


BLOCK, WARN, INFO = Level.BLOCK, Level.WARN, Level.INFO

STANDARD: dict[str, Reason] = {
    # ---- data
    "item_unmapped": Reason(_("商品マスタなし"), BLOCK, _("商品対応表で SKU を選ぶ"), clearable=False),
    "option_unparsed": Reason(
        _("オプション未解析"),
        WARN,
        _("選択肢がどの SKU を指すか選ぶ"),
        params={
            "fine": "名入れ、刻印、イニシャル、ラッピング、包装、ギフト、のし、熨斗、メッセージ、カード、領収書、"
            "納品書、配送、お届け、日時、同意、確認、了承、アンケート"
        },
    ),
    "amount_mismatch": Reason(_("金額不一致"), BLOCK, _("内訳を見て差額を認めるか確かめる")),
    "tax_mismatch": Reason(_("税額差異"), WARN, _("税率ごとの税額を確かめる")),
    "pay_method_unmapped": Reason(_("支払方法変換なし"), BLOCK, _("この支払名の条件を決めるか、支払方法を変える")),
    "ship_method_unmapped": Reason(
        _("配送方法変換なし"),
        BLOCK,
        _("配送会社を選ぶ。これからも同じなら、ルールにする"),
        params={
            "methods": "宅配、宅急、あす楽、お急ぎ、最強配送、クロネコ、ネコポス、クール便、通常配送、標準配送、"
            "メール便、ポスト投函、定形外、送料無料、STANDARD、EXPEDITED、PRIORITY、SCHEDULED、NEXT、SECOND、SAME"
        },
    ),
    "duplicate_suspect": Reason(
        _("二重注文の疑い"), BLOCK, _("二つの受注を見比べて、お客様に確かめる"), params={"hours": 24}
    ),
    "channel_cancel_request": Reason(
        _("キャンセル申請あり"), BLOCK, _("キャンセルするか、続けるかを決める"), shown=EVERYWHERE
    ),
    "channel_changed": Reason(
        _("モール側変更あり"), BLOCK, _("変更を見比べて、どちらにするか決める"), shown=EVERYWHERE
    ),
    "channel_reflected": Reason(_("モール側の変更を反映しました"), INFO, _("変更の内容を読む")),
    "bad_characters": Reason(_("機種依存文字"), WARN, _("送り状に印刷できる文字に置き換える")),
    # ---- the customer's wishes
    "buyer_note": Reason(_("備考あり"), BLOCK, _("備考を読む"), group="wishes"),
    "note_has_date": Reason(_("備考に日時記載"), BLOCK, _("配達希望に入れるか確かめる"), group="wishes"),
    "note_cancel_word": Reason(
        _("備考に取消・変更"),
        BLOCK,
        _("取消や変更の依頼か読む"),
        group="wishes",
        shown=EVERYWHERE,
        params={"words": "キャンセル、取消、取り消、変更、住所、急ぎ、至急"},
    ),
    "receipt_request": Reason(_("領収書希望"), WARN, _("宛名を確かめて領収書を出す"), group="wishes"),
    "gift_wrap": Reason(_("ラッピング・ギフト"), WARN, _("ラッピングして出荷する"), group="wishes", shown=EVERYWHERE),
    "noshi": Reason(_("のし"), BLOCK, _("のしの名入れを確かめる"), group="wishes", shown=EVERYWHERE),
    "message_card": Reason(
        _("メッセージカード"), WARN, _("カードに収まるか確かめる"), group="wishes", shown=EVERYWHERE
    ),
    "engraving_missing": Reason(
        _("名入れ未入力"),
        BLOCK,
        _("お客様に名入れの文字をたずねる"),
        group="wishes",
        params={"goods": ""},
    ),
    "price_hidden": Reason(_("金額非表示希望"), INFO, _("納品書に金額を載せない"), group="wishes", shown=EVERYWHERE),
    # ---- address and recipient
    "postal_mismatch": Reason(_("郵便番号と住所の不一致"), BLOCK, _("郵便番号か住所を直す"), group="address"),
    "street_no_missing": Reason(_("番地なし"), BLOCK, _("番地を直すか、確かめて認める"), group="address"),
    "room_no_missing": Reason(_("部屋番号なしの疑い"), WARN, _("部屋番号を確かめる"), group="address"),
    "address_too_long": Reason(_("住所文字数超過"), BLOCK, _("住所を短くする"), group="address"),
    "name_too_long": Reason(_("宛名文字数超過"), WARN, _("宛名を短くする"), group="address"),
    "phone_invalid": Reason(_("電話番号不正"), BLOCK, _("電話番号を直す"), group="address"),
    "remote_island": Reason(
        _("離島・中継地域"), WARN, _("お届けに日数がかかることを知らせる"), group="address", params={"areas": ""}
    ),
    "area_unservable": Reason(
        _("配達不可地域"), BLOCK, _("届けられる方法を選ぶ"), group="address", params={"areas": ""}
    ),
    "area_suspended": Reason(
        _("配送停止地域"), BLOCK, _("再開まで保留し、お客様に知らせる"), group="address", params={"areas": ""}
    ),
    "buyer_recipient_differ": Reason(
        _("注文者と届け先が別"), INFO, _("ギフトかどうか確かめる"), group="address", active=False
    ),
    "multi_ship_to": Reason(_("複数送付先"), WARN, _("届け先ごとの商品を確かめる"), group="address"),
    "depot_pickup": Reason(_("営業所止め・コンビニ受取"), WARN, _("配送方法とサイズの制限を確かめる"), group="address"),
    "overseas": Reason(_("海外配送"), BLOCK, _("通関の書類を用意する"), group="address"),
    "forwarder_address": Reason(
        _("転送業者の住所"),
        WARN,
        _("転送先への発送でよいか決める"),
        group="address",
        params={"words": "転送コム、tenso、buyee、スピアネット、輸入代行"},
    ),
    # ---- delivery date
    "date_too_soon": Reason(_("希望日に間に合わない"), BLOCK, _("届けられる最初の日を知らせる"), group="delivery"),
    "date_past": Reason(_("希望日が過去"), BLOCK, _("希望日を外すか、お客様に確かめる"), group="delivery"),
    "date_too_far": Reason(_("希望日が先"), WARN, _("その日まで預かるか決める"), group="delivery", params={"days": 60}),
    "time_slot_unavailable": Reason(_("時間帯指定不可"), WARN, _("近い時間帯にするか、外す"), group="delivery"),
    "date_on_mailbox": Reason(_("ポスト投函に日時指定"), WARN, _("方法を変えるか、希望を外す"), group="delivery"),
    "due_today": Reason(_("本日出荷期限"), INFO, _("先に出荷指示を出す"), group="delivery", active=False),
    "ship_by_risk": Reason(
        _("出荷期限間近"), WARN, _("先に出荷指示を出す"), group="delivery", params={"hours_left": 6}, shown=EVERYWHERE
    ),
    # ---- payment
    "payment_overdue": Reason(
        _("入金期限超過"), WARN, _("催促するか、キャンセルする"), group="payment", params={"days": 1}
    ),
    "auth_failed": Reason(_("与信NG・決済エラー"), WARN, _("支払いの変更をお願いする"), group="payment"),
    "credit_over_limit": Reason(
        _("掛売の与信枠超過"), BLOCK, _("入金を確かめてから、認めるか支払方法を変える"), group="payment"
    ),
    "credit_reviewing": Reason(_("後払い審査中"), INFO, _("審査の結果を待つ"), group="payment"),
    "auth_expiring": Reason(
        _("与信期限切れ間近"), WARN, _("期限までに出荷するか、与信を取り直す"), group="payment", params={"days": 3}
    ),
    "high_amount": Reason(
        _("高額注文"), BLOCK, _("お客様に電話で確かめる"), group="payment", params={"yen": 300_000}, note=True
    ),
    "cod_over_limit": Reason(
        _("代引上限超過"), BLOCK, _("ほかの支払方法をお願いする"), group="payment", params={"yen": 300_000}
    ),
    "cod_risk": Reason(_("代引注意"), BLOCK, _("お客様に電話で確かめる"), group="payment", params={"yen": 100_000}),
    "payer_mismatch": Reason(_("振込名義不一致"), WARN, _("入金消込で名義を確かめる"), group="payment"),
    "paid_short": Reason(
        _("入金不足"), BLOCK, _("不足分を案内するか、当社負担にする"), group="payment", clearable=False
    ),
    "amount_increased": Reason(_("増額変更"), BLOCK, _("増えた金額をお客様に確かめ、決済を取り直す"), group="payment"),
    "paid_over": Reason(_("過入金"), WARN, _("差額を返金する"), group="payment"),
    # ---- combination
    "merge_candidate": Reason(_("同梱候補"), BLOCK, _("同梱するか、別々に出荷するかを決める"), group="combination"),
    "oversize": Reason(
        _("サイズ・個口超過"),
        WARN,
        _("ほかの方法にするか、荷物を分ける"),
        group="combination",
        params={"mailbox_size": 1},
    ),
    "air_restricted": Reason(
        _("航空搭載不可"),
        WARN,
        _("船便にして、日数がかかることを知らせる"),
        group="combination",
        params={"goods": ""},
        shown=EVERYWHERE,
    ),
    "age_restricted": Reason(
        _("年齢確認商品"), BLOCK, _("お客様の年齢を確かめる"), group="combination", params={"goods": ""}
    ),
    # ---- stock
    "oversold": Reason(_("売り越し"), BLOCK, _("どの受注に在庫を回すかを決める"), group="stock"),
    "pick_short": Reason(
        _("ピッキング欠品"),
        BLOCK,
        _("在庫を移すか、分けて送るか、待つか、キャンセルする"),
        group="stock",
        shown=EVERYWHERE,
    ),
    "out_of_stock": Reason(_("在庫不足"), WARN, _("入荷を待つか、お客様に知らせる"), group="stock"),
    "partial_stock": Reason(_("一部在庫不足"), WARN, _("分けて送るか、待つ"), group="stock"),
    "mixed_preorder": Reason(_("予約と通常の混在"), WARN, _("分けて送るか、まとめて送る"), group="stock"),
    "made_to_order": Reason(_("取寄せ・受注生産"), WARN, _("仕入先に発注する"), group="stock"),
    "discontinued": Reason(_("廃番"), WARN, _("在庫を確かめ、無ければ代わりの品を案内する"), group="stock"),
    "quantity_limit": Reason(
        _("購入数量超過"),
        BLOCK,
        _("数量を減らすか、認める"),
        group="stock",
        active=False,
        params={"pieces": 50, "days": 7, "limits": ""},
    ),
    "temperature_mixed": Reason(_("温度帯混在"), WARN, _("温度帯ごとに分ける"), group="stock", shown=EVERYWHERE),
    # ---- customer
    "blacklist_match": Reason(
        _("ブラックリスト一致"),
        BLOCK,
        _("注文者を確かめる"),
        group="customer",
        note=True,
        shown=EVERYWHERE,
        params={"match_score": blacklist.MATCH, "loose_mail": False},
    ),
    "blacklist_similar": Reason(
        _("ブラックリスト類似"),
        WARN,
        _("要注意リストと見比べる"),
        group="customer",
        params={"similar_score": blacklist.SIMILAR},
    ),
    "refusal_history": Reason(
        _("受取拒否・長期不在歴"), WARN, _("支払方法を変えてもらうか、電話で確かめる"), group="customer"
    ),
    "open_promise": Reason(_("未完了の約束あり"), WARN, _("約束を果たして「済み」にする"), group="customer"),
    "channel_caution": Reason(_("モールの注意喚起"), BLOCK, _("モールの画面で注文者を確かめる"), group="customer"),
    "member_duplicate": Reason(
        _("会員重複候補"), INFO, _("二つの会員を見比べ、別人なら会員の画面で「別人です」を押す"), group="customer"
    ),
    "first_order": Reason(_("初回購入"), INFO, _("ご案内を同梱する"), group="customer", active=False),
    "vip": Reason(_("上位会員"), INFO, _("お得意様として扱う"), group="customer", active=False, params={"pieces": 10}),
    # ---- after
    "mail_bounced": Reason(_("メール不達"), WARN, _("お客様に電話で知らせ、正しいアドレスを確かめる"), group="after"),
    "mail_failed": Reason(_("メール送信エラー"), WARN, _("アドレスを確かめて送り直す"), group="after"),
    "channel_push_failed": Reason(_("モール反映エラー"), WARN, _("送信箱からもう一度送る"), group="after"),
    "parcel_returned": Reason(
        _("持戻り・宛先不明"), BLOCK, _("お客様に連絡し、再送か返金かを決める"), group="after", shown=EVERYWHERE
    ),
    # ---- by hand and by rule
    "question_to_colleague": Reason(
        _("社内確認中"), BLOCK, _("たずねられた人が、答えをメモに書いて閉じる"), group="hand", note=True
    ),
    "rule_hold": Reason(
        _("ルールによる確認"), BLOCK, _("ルールが書いた理由を読んで決める"), group="hand", shown=EVERYWHERE
    ),
    "rule_error": Reason(_("ルールのエラー"), BLOCK, _("ルールを直すか、この受注を人が確かめる"), group="hand"),
}

CATALOGUE: dict[str, Reason] = {
    code: replace(entry, label=own_word(f"reason:{code}", entry.label), standard=entry.label)
    for code, entry in STANDARD.items()
}
