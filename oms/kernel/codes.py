"""Codes that people copy by hand: letters and digits that do not look like one another, in groups of four."""

import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's
ALIKE = str.maketrans("ILO", "110")


def fresh(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _letter in range(length))


def shown(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def tidy(typed: str) -> str:
    """Letters and digits alone, in capitals: pasted with spaces or dashes, or typed in full width."""
    wide = unicodedata.normalize("NFKC", typed[:200])
    return "".join(char for char in wide if char.isascii() and char.isalnum()).upper()


def meant(typed: str) -> str:
    """`tidy`, and what looks like another letter as that one."""
    return tidy(typed).translate(ALIKE)
