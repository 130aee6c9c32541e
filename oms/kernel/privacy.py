"""Personal data for people who may not see it: enough to tell two rows apart, not enough to know the person."""

import re

from oms.kernel.phone import phone_digits

HIDDEN = "＊＊＊"
_MAIL = re.compile(r"[\w.+-]+@[\w.-]+")
_PHONE = re.compile(r"[+＋]?[\d０-９][\d０-９()（）\-‐－−ー ]{8,}[\d０-９]")


def mask_name(name: str) -> str:
    """佐藤 恵 → 佐＊＊＊"""
    return f"{name.strip()[0]}{HIDDEN}" if name.strip() else ""


def mask_phone(phone: str) -> str:
    """090-1234-5678 → ＊＊＊5678; a short one is hidden whole."""
    digits = phone_digits(phone)
    if not digits:
        return HIDDEN if phone.strip() else ""
    return f"{HIDDEN}{digits[-4:]}" if len(digits) >= 8 else HIDDEN


def mask_mail(mail: str) -> str:
    """megumi@example.com → m＊＊＊@example.com"""
    if not mail.strip():
        return ""
    name, at, domain = mail.strip().partition("@")
    return f"{name[:1]}{HIDDEN}{at}{domain}" if at else HIDDEN


def mask_postal_code(code: str) -> str:
    """154-0024 → 154-＊＊＊"""
    return f"{code.strip()[:3]}-{HIDDEN}" if code.strip() else ""


def mask_rest(text: str) -> str:
    """Anything that must not be seen at all; empty stays empty."""
    return HIDDEN if text.strip() else ""


def mask_text(text: str) -> str:
    """Free text with its phone numbers and mail addresses hidden."""
    return _PHONE.sub(HIDDEN, _MAIL.sub(HIDDEN, text))
