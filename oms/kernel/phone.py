"""Japanese phone numbers: digits for storing, and a plain judgement.

The public numbering plan is judged by length and first digits only. Libraries that know area codes reject numbers that
are in use, and a rejected number would stop an order for nothing.
"""

import re
import unicodedata

_ELEVEN = ("050", "060", "070", "080", "090")
_COUNTRY = re.compile(r"^(?:\+|00|010)?81\(?0?\)?(?=[1-9])")
_KEEP = re.compile(r"[^\d+]")


def phone_digits(text: str) -> str:
    """０９０－１２３４－５６７８ and +81 90-1234-5678 → 09012345678. Digits only, empty when there are none."""
    typed = _KEEP.sub("", unicodedata.normalize("NFKC", text))
    national = _COUNTRY.sub("0", typed) if typed.startswith(("+81", "0081", "01081")) else typed
    if national.startswith("81") and len(national) in {11, 12} and not national.startswith("810"):
        national = "0" + national[2:]
    return national.replace("+", "")


def phone_fault(text: str) -> str:
    """Why no one can be called there: `length`, `prefix`, `dummy`; empty when the number looks right.

    An absent phone is no fault: the label export puts the shop's own number.
    """
    digits = phone_digits(text)
    if not text.strip():
        return ""
    if not digits.startswith("0") or digits.startswith("00"):
        return "length" if len(digits) not in {10, 11} else "dummy" if len(set(digits)) <= 2 else "prefix"
    if len(digits) != (11 if digits.startswith((*_ELEVEN, "0800")) else 10):
        return "length"
    if len(set(digits[3:])) == 1 or digits in {"0123456789", "01234567890"}:
        return "dummy"
    return ""


def phone_display(text: str) -> str:
    """With hyphens where the places are certain (mobile, 03, 06, 0120, 0800), else the digits alone."""
    digits = phone_digits(text)
    for lead, cuts in (("0120", (4, 7)), ("0800", (4, 7)), *((lead, (3, 7)) for lead in _ELEVEN)):
        if digits.startswith(lead):
            return "-".join((digits[: cuts[0]], digits[cuts[0] : cuts[1]], digits[cuts[1] :]))
    if digits.startswith(("03", "06")) and len(digits) == 10:
        return f"{digits[:2]}-{digits[2:6]}-{digits[6:]}"
    return digits
