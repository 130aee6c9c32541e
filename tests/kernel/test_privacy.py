"""What is left of personal data for people who may not see it."""

import pytest

from oms.kernel import privacy


@pytest.mark.parametrize(
    ("mask", "text", "left"),
    [
        (privacy.mask_name, "佐藤 恵", "佐＊＊＊"),
        (privacy.mask_name, "  ", ""),
        (privacy.mask_phone, "090-1234-5678", "＊＊＊5678"),
        (privacy.mask_phone, "+81 90-1234-5678", "＊＊＊5678"),
        (privacy.mask_phone, "12345", "＊＊＊"),
        (privacy.mask_phone, "不明", "＊＊＊"),
        (privacy.mask_phone, "", ""),
        (privacy.mask_mail, "megumi@example.com", "m＊＊＊@example.com"),
        (privacy.mask_mail, "megumi", "＊＊＊"),
        (privacy.mask_mail, "", ""),
        (privacy.mask_postal_code, "154-0024", "154-＊＊＊"),
        (privacy.mask_rest, "世田谷区", "＊＊＊"),
        (privacy.mask_rest, "", ""),
    ],
)
def test_masks(mask, text, left):
    assert mask(text) == left


def test_free_text_loses_its_numbers_and_addresses_only():
    text = "着いたら 090-1234-5678（自宅 ０３－１２３４－５６７８）か megumi@example.com へ。11/28 午前、2個です"
    masked = privacy.mask_text(text)
    assert "着いたら" in masked and "11/28 午前、2個です" in masked
    for secret in ("1234", "5678", "１２３４", "megumi"):
        assert secret not in masked
