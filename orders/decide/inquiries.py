"""What a mail asks the customer where a reason needs an answer: a first wording, which a person reads and changes.

In the customer's language, so not for translation.
"""

from collections.abc import Iterable

QUESTIONS = {
    "engraving_missing": "名入れする文字をお知らせください。",
    "noshi": "のしの表書きとお名入れをお知らせください。",
    "street_no_missing": "お届け先のご住所に番地がないようです。番地までのご住所をお知らせください。",
    "room_no_missing": "お届け先の建物名・部屋番号をお知らせください。",
    "postal_mismatch": "お届け先の郵便番号とご住所が一致しておりません。正しい郵便番号とご住所をお知らせください。",
    "phone_invalid": "お届け先の電話番号をお知らせください。",
    "date_too_soon": "ご希望の日にはお届けが間に合いません。ほかのご希望日をお知らせください。",
    "date_past": "ご希望のお届け日が過ぎております。あらためてご希望日をお知らせください。",
    "date_too_far": "ご希望のお届け日が先のため、お受けできません。ほかのご希望日をお知らせください。",
    "time_slot_unavailable": "ご希望の時間帯にはお届けできません。ほかの時間帯をお知らせください。",
    "duplicate_suspect": "同じ内容のご注文を続けて承っております。どちらもお送りしてよろしいでしょうか。",
    "receipt_request": "領収書の宛名をお知らせください。",
    "depot_pickup": "お受け取りになる営業所の名前をお知らせください。",
    "age_restricted": "年齢の確認が必要な商品が含まれております。ご注文者様が20歳以上かどうかお知らせください。",
}


def questions(codes: Iterable[str]) -> str:
    """One line for each of these reasons that has a question."""
    return "\n".join(QUESTIONS[code] for code in codes if code in QUESTIONS)
