"""What people may be allowed, by action, in words: what the roles are shown with, and what own roles are made of.

A page asks for one or several of these; what it shows is narrowed besides to a person's shops and places. A test
holds every right that a page asks for to stand here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Area:
    """`rights`: permission ("app.codename") → what it allows."""

    code: str
    label: str | Promise
    rights: Mapping[str, str | Promise]


AREAS = (
    Area(
        "orders",
        _("受注"),
        {
            "orders.view_order": _("受注を見る"),
            "orders.add_order": _("受注を手入力する"),
            "orders.view_ordertask": _("自分とチームの作業を見る・終える"),
            "orders.change_order": _("受注を変更する・分割・同梱する"),
            "orders.review_order": _("確認理由を閉じる"),
            "orders.confirm_order": _("モールへ注文を確定する"),
            "orders.hold_order": _("受注を保留する"),
            "orders.release_order": _("出荷指示を出す"),
            "orders.force_order": _("受注を強制出荷可にする"),
            "orders.cancel_order": _("受注をキャンセルする"),
            "orders.send_mail": _("メールを送る"),
            "orders.view_returncase": _("返品を見る"),
            "orders.change_returncase": _("返品を受け付ける・進める"),
            "orders.inspect_returncase": _("返品を検品する"),
            "orders.settle_returncase": _("返品を精算する"),
        },
    ),
    Area(
        "personal",
        _("個人情報と書き出し"),
        {
            "orders.view_personal_data": _("個人情報を見る"),
            "orders.export_order": _("受注を書き出す"),
            "orders.export_document": _("発行済み帳票を書き出す"),
            "customers.view_member": _("会員を見る"),
            "customers.change_member": _("会員を変更する"),
            "customers.add_membernote": _("会員のメモと約束を書く・済みにする"),
            "customers.change_rank": _("会員ランクを決める"),
            "customers.manage_blacklist": _("要注意リストを管理する"),
            "orders.manage_privacy": _("個人情報の保存期間・操作の記録・閲覧履歴を管理する"),
        },
    ),
    Area(
        "money",
        _("お金と帳票"),
        {
            "orders.record_payment": _("入金・返金を登録する、消し込む"),
            "orders.approve_refund": _("返金を承認する"),
            "orders.change_refundlimit": _("返金の上限を決める"),
            "orders.change_paymentgate": _("支払条件と手数料表を決める"),
            "orders.view_issueddocument": _("請求書・領収書を見る"),
            "orders.issue_document": _("請求書・領収書を発行する"),
            "inventory.view_cost": _("仕入価格と粗利を見る"),
            "fulfillment.change_costsetting": _("出荷コストを決める"),
        },
    ),
    Area(
        "shipping",
        _("出荷と在庫"),
        {
            "fulfillment.view_shipment": _("出荷を見る"),
            "fulfillment.print_document": _("出荷の帳票を印刷する"),
            "fulfillment.export_waybill": _("送り状データを書き出す"),
            "fulfillment.change_waybillsetting": _("送り状の設定を決める"),
            "fulfillment.ship_shipment": _("出荷を確定する"),
            "fulfillment.ask_stop": _("出荷停止を依頼する"),
            "fulfillment.reopen_shipment": _("出荷確定を取り消す"),
            "fulfillment.change_stoppolicy": _("出荷停止の決まりを決める"),
            "orders.change_shippingplan": _("出荷カレンダーと自動の出荷指示を決める"),
            "inventory.view_sku": _("在庫と商品を見る"),
            "inventory.change_balance": _("在庫を訂正する・入荷する・セットを組む"),
            "inventory.change_sku": _("商品情報を変更する"),
        },
    ),
    Area(
        "channels",
        _("店舗とモール"),
        {
            "channels.view_connection": _("店舗の状態を見る"),
            "channels.add_connection": _("店舗を登録する"),
            "channels.change_connection": _("店舗の設定を変更する・止める"),
            "channels.change_credential": _("認証情報を変更する・更新する"),
            "channels.view_listing": _("出品と商品対応表を見る"),
            "channels.change_listing": _("商品対応と出品の連携方法を変更する"),
            "channels.change_publishrule": _("在庫連携を設定する"),
            "channels.view_oversellcase": _("売り越しを見る"),
            "channels.decide_oversellcase": _("売り越しの対応を決める"),
            "kernel.view_effect": _("送信箱を見る"),
            "channels.retry_effect": _("失敗した送信をやり直す"),
        },
    ),
    Area(
        "settings",
        _("決まりと管理"),
        {
            "orders.manage_rules": _("自動処理ルールを管理する"),
            "orders.manage_reasons": _("確認理由とステータスの呼び名を決める"),
            "orders.change_mailtemplate": _("メールのテンプレートと設定を決める"),
            "orders.change_papersettings": _("帳票と電話注文の設定を決める"),
            "orders.move_in": _("ほかのシステムからデータを移す"),
            "kernel.manage_users": _("利用者・役割と権限を管理する"),
            "kernel.manage_sign_in": _("ログインの決まりと記録を管理する"),
            "kernel.reset_second_step": _("ほかの人の二段階認証をリセットする"),
            "kernel.manage_store_devices": _("店舗端末を登録する・外す"),
            "kernel.reset_pin": _("ほかの人の PIN をリセットする"),
            "kernel.end_devices": _("ほかの人の端末をログアウトさせる"),
            "kernel.view_settingversion": _("設定の変更の一覧を見る"),
        },
    ),
)
ALL = frozenset(code for area in AREAS for code in area.rights)


def told(held: Iterable[str]) -> list[tuple[str | Promise, list[str | Promise]]]:
    """These permissions in words, by area; areas of which nothing is held are left out."""
    have = set(held)
    found = [(area.label, [label for code, label in area.rights.items() if code in have]) for area in AREAS]
    return [(label, labels) for label, labels in found if labels]
