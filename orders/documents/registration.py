"""登録番号 of a qualified invoice issuer: T and 13 digits."""

import re
import unicodedata


def normal_registration_number(typed: str) -> str:
    """ｔ１２３４-… → T1234…; what has no such form stays as typed."""
    text = re.sub(r"[\s\-‐‑–—−ー]", "", unicodedata.normalize("NFKC", typed)).upper()
    return text if re.fullmatch(r"T\d{13}", text) else typed.strip()


def registration_fault(number: str) -> str:
    """`form` when it is not T and 13 digits; `check_digit` when the digits are no corporate number; else empty.

    A wrong check digit is a warning only: sole proprietors have numbers that do not follow the corporate rule.
    """
    number = normal_registration_number(number)
    if not re.fullmatch(r"T[0-9]{13}", number):
        return "form"
    return "" if number[1] == str(corporate_check_digit(number[2:])) else "check_digit"


def corporate_check_digit(base: str) -> int:
    """The first digit of a 法人番号 from the others: 9 − (Σ digit × weight mod 9), weights 1 and 2 from the right."""
    total = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(base)))
    return 9 - total % 9
