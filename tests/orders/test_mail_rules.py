"""Which mails may go out, decided without a database."""

import pytest

from orders.decide.mail_rules import Channel, Facts, Wishes, why_not

FREE, RELAY = Channel("free"), Channel("relay")
AMAZON = Channel("relay", ("inquiry", "delay_notice"))


def mail(event: str = "shipped", address: str = "a@example.jp", **fields) -> Facts:
    return Facts(event, address, **fields)


@pytest.mark.parametrize(
    ("facts", "channel", "wishes", "why"),
    [
        (mail(), FREE, Wishes(), ""),
        (mail(), Channel("none"), Wishes(), "認めていません"),
        (mail(), RELAY, Wishes(), ""),
        (mail("delivered_follow"), RELAY, Wishes(), "関係のない"),
        (mail(), AMAZON, Wishes(), "モールが自分で"),
        (mail("inquiry"), AMAZON, Wishes(), ""),
        (mail(), FREE, Wishes(off_events=["shipped"]), "送らない設定の種類"),
        (mail(marks=["vip"]), FREE, Wishes(quiet_marks=["vip"]), "vip"),
        (mail(marks=["vip"]), FREE, Wishes(quiet_marks=["other"]), ""),
        (mail(address=""), FREE, Wishes(), "メールアドレスがありません"),
        (mail(stops={"bounced"}), FREE, Wishes(), "届かなかった"),
        (mail(stops={"opt_out"}), FREE, Wishes(), ""),
        (mail("delivered_follow", stops={"opt_out"}), FREE, Wishes(), "配信を停止"),
    ],
)
def test_what_forbids_a_mail_is_said(facts, channel, wishes, why):
    said = str(why_not(facts, channel, wishes))
    assert (why in said) if why else said == ""


def test_what_the_connectors_declare_is_understood():
    from channels.services.shops import declared  # noqa: PLC0415 - the tests' floor may look up

    amazon, rakuten = (Channel.of(declared(name)) for name in ("amazon", "rakuten"))
    assert why_not(mail("order_received"), amazon, Wishes()) and not why_not(mail("inquiry"), amazon, Wishes())
    assert not why_not(mail("order_received"), rakuten, Wishes())
    assert why_not(mail("delivered_follow"), rakuten, Wishes())
