"""The standard texts, one per event; a company starts with them and changes what it likes."""

from dataclasses import dataclass

from orders.models import MailTemplate
from orders.models.mail import MailEvent


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard template. `on`: used from the start; `review`: each mail waits for a person."""

    subject: str
    body: str
    on: bool = True
    review: bool = False


HELLO = "{{ buyer.name }} 様\n\nお世話になっております。{{ shop.name }}でございます。\n"
END = "\n{{ shop.signature }}\n"
NUMBER = "■ご注文番号: {{ order.number }}\n"
GOODS = "■ご注文内容\n{{ order.lines }}\n\n"
PLACE = (
    "{% if order.pickup %}\n■お受け取り: 店舗受取\n{% else %}\n■お届け先\n{{ recipient.name }} 様\n"
    "{{ recipient.address }}\n{% endif %}\n"
)
PARCEL = (
    "■配送会社: {{ shipment.carrier }}\n■お問い合わせ番号: {{ shipment.tracking_no }}\n"
    "{% if shipment.tracking_url %}\n■お荷物の状況: {{ shipment.tracking_url }}\n{% endif %}\n"
)
SUMS = "■金額\n{{ order.sums }}\n{% if order.tax %}\n{{ order.tax }}\n{% endif %}\n\n"
ENDS = (
    "{% if payment.cancel_date %}\n※{{ payment.cancel_date }}までにお支払いがない場合は、"
    "キャンセルとさせていただきます。\n{% endif %}\n"
)
RULE = "{% if shop.cancel_rule %}\n\n■キャンセル・返品について\n{{ shop.cancel_rule }}\n{% endif %}\n"
PAYMENT = "■お支払い金額: {{ order.total }}\n■お支払い方法: {{ order.payment }}\n"
DEADLINE = "{% if payment.due_date %}\n■お支払い期限: {{ payment.due_date }}\n{% endif %}\n"
ACCOUNT = (
    "{% if payment.bank_transfer %}\n■お振込先\n{{ payment.account }}\n"  # without an account nobody can pay
    "※振込手数料はお客様のご負担をお願いいたします。\n{% endif %}\n"
)
WHEN = (
    "{% if shipment.date %}\n■発送日: {{ shipment.date }}\n{% endif %}\n"
    "{% if shipment.expected %}\n■お届け予定: {{ shipment.expected }}\n{% endif %}\n"
)
PICKUP = (
    "■お受け取り店舗: {{ pickup.place }}\n■お受け取り番号: {{ pickup.code }}\n■お受け取り期限: {{ pickup.until }}\n"
)
CROSSED = "※すでにお支払いいただいております場合は、行き違いをご容赦ください。\n"
MESSAGE = "{% if mail.message %}\n{{ mail.message }}\n\n{% endif %}\n"
UNSUBSCRIBE = (
    "{% if mail.unsubscribe_url %}\nこのようなご案内の配信停止はこちら:\n{{ mail.unsubscribe_url }}\n{% else %}\n"
    "このようなご案内が不要な場合は、お手数ですがこのメールにその旨をご返信ください。\n{% endif %}\n"
)


def _subject(text: str) -> str:
    return f"【{{{{ shop.name }}}}】{text}（{{{{ order.number }}}}）"


STANDARD_TEMPLATES: dict[str, Standard] = {
    MailEvent.ORDER_RECEIVED: Standard(
        _subject("ご注文ありがとうございます"),
        HELLO
        + "このたびはご注文いただき、誠にありがとうございます。\n下記の内容でご注文を承りました。\n\n"
        + NUMBER
        + "■ご注文日: {{ order.date }}\n\n"
        + GOODS
        + SUMS
        + PAYMENT
        + DEADLINE
        + "{% if payment.cod %}\n商品と引き換えに、配達員へお支払いください。\n{% endif %}\n"
        + "{% if payment.convenience %}\nお支払いの確認後に発送いたします。\n{% endif %}\n\n"
        + "■ご注文者\n{{ buyer.name }} 様\n{% if buyer.address %}\n{{ buyer.address }}\n{% endif %}\n"
        + PLACE
        + "{% if order.wish %}\n■ご希望日時: {{ order.wish }}\n{% endif %}\n"
        + "{% if order.gift %}\n■ラッピング: {{ order.gift }}\n{% endif %}\n"
        + "{% if order.noshi %}\n■のし: {{ order.noshi }}\n{% endif %}\n"
        + "{% if order.note %}\n\n{{ order.note }}\n{% endif %}\n"
        + "\n{% if order.pickup %}\nご用意ができましたら、あらためてご連絡いたします。\n{% else %}\n"
        + "商品を発送しましたら、あらためてご連絡いたします。\n{% endif %}\n"
        + RULE
        + END,
    ),
    MailEvent.ORDER_CONFIRMED: Standard(
        _subject("ご注文の内容が確定しました"),
        HELLO
        + "ご注文の内容を確認いたしました。これより発送の準備を進めてまいります。\n\n"
        + NUMBER
        + GOODS
        + "{% if order.planned_date %}\n■出荷予定日: {{ order.planned_date }}\n{% endif %}\n"
        + END,
        on=False,
    ),
    MailEvent.PAYMENT_REQUEST: Standard(
        _subject("お支払いのご案内"),
        HELLO
        + "ご注文ありがとうございます。下記のとおりお支払いをお願いいたします。\n"
        + "ご入金を確認しだい、商品の発送を進めてまいります。\n\n"
        + NUMBER
        + PAYMENT
        + DEADLINE
        + ENDS
        + ACCOUNT
        + END,
    ),
    MailEvent.PAYMENT_REMINDER: Standard(
        _subject("お支払いの確認のお願い"),
        HELLO
        + "下記のご注文について、まだお支払いを確認できておりません。\nお手続きをお願いいたします。\n\n"
        + NUMBER
        + PAYMENT
        + DEADLINE
        + ENDS
        + ACCOUNT
        + CROSSED
        + END,
        review=True,
    ),
    MailEvent.PAYMENT_FINAL: Standard(
        _subject("【重要】お支払い期限のお知らせ"),
        HELLO
        + "下記のご注文について、お支払いを確認できておりません。\n"
        + "期限までに確認できない場合は、誠に勝手ながらご注文をキャンセルとさせていただきます。\n\n"
        + NUMBER
        + PAYMENT
        + DEADLINE
        + ENDS
        + ACCOUNT
        + CROSSED
        + END,
        review=True,
    ),
    MailEvent.PAYMENT_RECEIVED: Standard(
        _subject("ご入金を確認しました"),
        HELLO
        + "ご入金を確認いたしました。ありがとうございます。\n発送の準備が整いしだい、商品をお送りいたします。\n\n"
        + NUMBER
        + PAYMENT
        + "{% if payment.paid_amount %}\n■ご入金額: {{ payment.paid_amount }}\n{% endif %}\n"
        + "{% if payment.paid_date %}\n■ご入金日: {{ payment.paid_date }}\n{% endif %}\n"
        + "{% if order.planned_date %}\n■出荷予定日: {{ order.planned_date }}\n{% endif %}\n"
        + END,
    ),
    MailEvent.PAYMENT_CHANGE_REQUEST: Standard(
        _subject("お支払い方法の変更のお願い"),
        HELLO
        + "恐れ入りますが、お選びいただいたお支払い方法（{{ order.payment }}）では手続きを完了できませんでした。\n"
        + "お手数ですが、別のお支払い方法への変更をこのメールへのご返信でお知らせください。\n\n"
        + MESSAGE
        + NUMBER
        + "■お支払い金額: {{ order.total }}\n"
        + END,
        review=True,
    ),
    MailEvent.INQUIRY: Standard(
        _subject("ご注文内容の確認のお願い"),
        HELLO
        + "ご注文の内容について確認したいことがあり、ご連絡いたしました。\n\n{{ mail.message }}\n\n"
        + "お手数ですが、このメールへのご返信でお知らせください。\nお返事をいただくまで、発送をお待ちしております。\n\n"
        + NUMBER
        + GOODS
        + END,
        review=True,
    ),
    MailEvent.DELAY_NOTICE: Standard(
        _subject("発送の遅れについてのお詫び"),
        HELLO
        + "ご注文の商品の発送が、予定より遅れております。\nご迷惑をおかけし、誠に申し訳ございません。\n\n"
        + MESSAGE
        + "{% if order.planned_date %}\n■新しい出荷予定日: {{ order.planned_date }}\n{% else %}\n"
        + "発送の見通しが立ちしだい、あらためてご連絡いたします。\n{% endif %}\n"
        + NUMBER
        + GOODS
        + "ご不明な点やキャンセルのご希望がございましたら、このメールにご返信ください。\n"
        + END,
        review=True,
    ),
    MailEvent.PREORDER_UPDATE: Standard(
        _subject("予約商品の発売日変更のお知らせ"),
        HELLO
        + "ご予約いただいた商品の発売日が変更になりました。\nお待たせして申し訳ございません。\n\n"
        + NUMBER
        + GOODS
        + "■新しい発売日: {{ order.release_date }}\n\n"
        + MESSAGE
        + "商品が入荷しだいお送りいたします。今しばらくお待ちください。\n"
        + END,
        review=True,
    ),
    MailEvent.MERGE_NOTICE: Standard(
        _subject("ご注文をまとめてお届けします"),
        HELLO + "複数のご注文を、一つのお荷物にまとめてお送りいたします。\n\n" + NUMBER + MESSAGE + PLACE + END,
        on=False,
    ),
    MailEvent.SHIPPED: Standard(
        _subject("商品を発送しました"),
        HELLO
        + "ご注文の商品を発送いたしました。\n\n"
        + NUMBER
        + PARCEL
        + WHEN
        + "\n■お送りした商品\n{{ shipment.lines }}\n\n"
        + PLACE
        + "{% if shipment.cod_amount %}\nお届けの際に {{ shipment.cod_amount }} をご用意ください。\n{% endif %}\n"
        + "到着まで今しばらくお待ちください。\n"
        + END,
    ),
    MailEvent.PARTIALLY_SHIPPED: Standard(
        _subject("商品の一部を発送しました"),
        HELLO
        + "ご注文の商品の一部を発送いたしました。\n残りの商品は、発送しだいあらためてご連絡いたします。\n\n"
        + NUMBER
        + PARCEL
        + WHEN
        + "\n■お送りした商品\n{{ shipment.lines }}\n\n"
        + "{% if shipment.rest %}\n■これからお送りする商品\n{{ shipment.rest }}\n\n{% endif %}\n"
        + PLACE
        + END,
    ),
    MailEvent.PICKUP_READY: Standard(
        _subject("商品のお受け取りの準備ができました"),
        HELLO
        + "ご注文の商品のご用意ができました。下記の店舗でお受け取りください。\n\n"
        + NUMBER
        + PICKUP
        + "\n"
        + GOODS
        + "ご来店の際は、このメールのお受け取り番号を係員にお伝えください。\n"
        + END,
    ),
    MailEvent.PICKUP_REMINDER: Standard(
        _subject("お受け取り期限が近づいています"),
        HELLO + "店舗でお預かりしている商品のお受け取り期限が近づいております。\n\n" + NUMBER + PICKUP + END,
    ),
    MailEvent.PICKUP_EXPIRED: Standard(
        _subject("お受け取り期限が過ぎました"),
        HELLO
        + "お受け取り期限が過ぎたため、商品のお預かりを終了いたしました。\n"
        + "引き続きご希望の場合は、お手数ですがこのメールにご返信ください。\n\n"
        + NUMBER
        + "■お受け取り店舗: {{ pickup.place }}\n"
        + END,
    ),
    MailEvent.LOCKER_READY: Standard(
        _subject("ロッカーに商品をお届けしました"),
        HELLO
        + "ご注文の商品を受取ロッカーにお届けしました。\n\n"
        + NUMBER
        + "■ロッカー: {{ locker.place }}\n■暗証番号: {{ locker.pin }}\n■お受け取り期限: {{ pickup.until }}\n\n"
        + "暗証番号はほかの方に見せないようご注意ください。\n"
        + END,
    ),
    MailEvent.DELIVERED_FOLLOW: Standard(
        _subject("商品はいかがでしたか"),
        HELLO
        + "先日はご注文いただき、ありがとうございました。\n商品は無事にお手元に届きましたでしょうか。\n\n"
        + NUMBER
        + GOODS
        + "お気づきの点がございましたら、このメールにご返信ください。\n"
        + "よろしければ、ご感想をレビューでお聞かせいただけますと幸いです。\n\n"
        + UNSUBSCRIBE
        + END,
        on=False,
    ),
    MailEvent.CANCELLED: Standard(
        _subject("ご注文のキャンセルを承りました"),
        HELLO
        + "下記のご注文のキャンセルを承りました。\n\n"
        + NUMBER
        + GOODS
        + MESSAGE
        + "またのご利用を心よりお待ちしております。\n"
        + END,
    ),
    MailEvent.DOCUMENT_LINK: Standard(
        _subject("{{ document.kind }}のご案内"),
        HELLO
        + "{{ document.kind }}を下記のリンクからダウンロードいただけます。\n\n"
        + NUMBER
        + "■リンク: {{ document.link }}\n■有効期限: {{ document.expires }}\n"
        + END,
    ),
    MailEvent.REFUND_DONE: Standard(
        _subject("ご返金の手続きが完了しました"),
        HELLO
        + "下記のご注文について、ご返金の手続きをいたしました。\n\n"
        + NUMBER
        + "■ご返金額: {{ refund.amount }}\n■お支払い方法: {{ order.payment }}\n"
        + "{% if refund.way %}\n■ご返金の方法: {{ refund.way }}\n{% endif %}\n"
        + "{% if refund.date %}\n■ご返金日: {{ refund.date }}\n{% endif %}\n\n"
        + "お手元への反映は、ご利用の決済会社により日数がかかることがございます。\n"
        + END,
    ),
    MailEvent.RETURN_RECEIVED: Standard(
        _subject("ご返品を受け付けました"),
        HELLO
        + "ご返品のお申し出を承りました。商品を確認しだい、あらためてご連絡いたします。\n\n"
        + NUMBER
        + MESSAGE
        + END,
    ),
    MailEvent.RETURN_ANSWERED: Standard(
        _subject("ご返品・交換のお申し出について"),
        HELLO
        + "お申し出いただきましたご返品・交換について、ご連絡いたします。\n\n"
        + NUMBER
        + "■返品番号: {{ return.number }}\n■ご返品・交換: {{ return.answer }}\n\n"
        + MESSAGE
        + RULE
        + END,
    ),
    MailEvent.RANK_UP: Standard(
        "【{{ shop.name }}】会員ランクが上がりました",
        HELLO
        + "いつもご利用いただき、ありがとうございます。\n会員ランクが「{{ member.rank }}」になりました。\n\n"
        + UNSUBSCRIBE
        + END,
        on=False,
    ),
    MailEvent.POINTS_EXPIRING: Standard(
        "【{{ shop.name }}】ポイントの期限が近づいています",
        HELLO
        + "お持ちのポイント {{ member.points }} 点の期限が近づいております。\n\n"
        + "■期限: {{ member.points_until }}\n\n"
        + UNSUBSCRIBE
        + END,
        on=False,
    ),
}


def ensure_standard_templates() -> None:
    """Make the company's standard templates where they are missing."""
    held = set(MailTemplate.objects.filter(shop=None, variant="").values_list("event", flat=True))
    MailTemplate.objects.bulk_create(
        MailTemplate(
            event=event, subject=standard.subject, body=standard.body, active=standard.on, review=standard.review
        )
        for event, standard in STANDARD_TEMPLATES.items()
        if event not in held
    )
