"""What buyers write into the free field: text that rules can settle, and questions that need a person."""

import random
from datetime import date, timedelta

from channels.sandbox.model import Gift

WEEKDAYS = "月火水木金土日"
SLOTS = ("am", "14-16", "16-18", "18-20", "19-21")
SLOT_WORDS = {"am": "午前中", "14-16": "14時〜16時", "16-18": "16:00-18:00", "18-20": "18時～20時", "19-21": "19-21時"}

SLIP_TEXTS = (
    "特になし",
    "なし",
    "よろしくお願いいたします。",
    "不在の場合は宅配ボックスに入れてください。",
    "玄関前に置き配でお願いします。",
    "インターホンは鳴らさないでください。",
    "納品書は同梱不要です。",
    "品名は「雑貨」と記載してください。",
    "ガスメーターボックスの中に置いてください。",
)
QUESTIONS = (
    "以前購入したものと同じ色味でしょうか？確認してから発送してください。",
    "組み立てサービスはありますか。料金を教えてください。",
    "在庫が2つあれば追加で注文したいのですが可能ですか？",
    "来週から引っ越すため、届け先を変更できるか教えてください。",
    "アレルギーがあります。原材料に小麦は含まれていますか？",
    "前回の注文と一緒に送ってもらえますか？注文番号は控えていません。",
    "領収書を2枚に分けてもらうことはできますか。金額は後で連絡します。",
    "サイズが合わない場合の交換は送料無料ですか？",
    "クーポンが適用されていないようです。差額はどうなりますか。",
    "会社で購入します。見積書と請求書を先に送っていただけますか。",
)
CANCEL_REASONS = ("間違えて2回注文しました。", "都合により不要になりました。", "別の色を買い直します。")
NOSHI = (("紅白蝶結び", "御祝"), ("紅白蝶結び", "内祝"), ("紅白結び切り", "寿"), ("紅白蝶結び", "御中元"))
MESSAGES = (
    "お誕生日おめでとうございます。",
    "いつもありがとうございます。",
    "ご結婚おめでとうございます。末永くお幸せに。",
)
WRAPPINGS = ("包装紙（花柄）", "ギフトバッグ（紺）")


def slip_text(rng: random.Random, today: date) -> str:
    """Harmless words, or a delivery wish in words for a day that can be kept."""
    if rng.random() < 0.6:
        return rng.choice(SLIP_TEXTS)
    day = today + timedelta(days=rng.randint(5, 9))
    slot = SLOT_WORDS[rng.choice(SLOTS)]
    return rng.choice(
        (
            f"配達希望日：{day.month}月{day.day}日 {slot}",
            f"{day:%Y/%m/%d} {slot} 希望",
            f"{day.month}/{day.day}({WEEKDAYS[day.weekday()]})着でお願いします。",
            f"時間指定：{slot}",
        )
    )


def question(rng: random.Random) -> str:
    return rng.choice(QUESTIONS)


def gift(rng: random.Random, *, channel: str, from_name: str) -> Gift:
    """A complete gift wish in what this channel can carry: nothing in it must be asked back."""
    if channel == "qoo10":
        return Gift(message=rng.choice(MESSAGES))
    if channel == "amazon":
        return Gift(wrapping="ギフトラッピング", wrapping_fee=220, message=rng.choice(MESSAGES))
    if rng.random() < 0.4:
        noshi, purpose = rng.choice(NOSHI)
        return Gift(noshi=noshi, noshi_purpose=purpose, noshi_name=from_name)
    return Gift(wrapping=rng.choice(WRAPPINGS), wrapping_fee=220, message=rng.choice(MESSAGES))
