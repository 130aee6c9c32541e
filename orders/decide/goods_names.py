"""How goods are named to people: the name, what distinguishes the variant, what the buyer chose. Pure."""

import re
import unicodedata
from collections.abc import Iterable

VARIANT_LABELS = {"", "色", "カラー", "サイズ", "color", "colour", "size"}  # what malls call a variant's options
OPTIONS = re.compile(r"\n| / ")  # between the options of a line, as connectors write them


def with_variant(name: str, variant: str) -> str:
    """A SKU's name and its variant, which may stand in the name already."""
    return name if variant in name else f"{name} {variant}".strip()


def beyond_name(name: str, options: Iterable[str]) -> str:
    """What the product's name does not already say: "色:紺" goes where the name has 紺, an engraving always stays."""
    said = set(name.split())
    return " / ".join(option for option in options if option and not _is_said(option, said))


def _is_said(option: str, said: set[str]) -> bool:
    label, _colon, value = unicodedata.normalize("NFKC", option).rpartition(":")
    return label.strip().lower() in VARIANT_LABELS and set(value.split()) <= said


def bought(name: str, options: str, quantity: int) -> str:
    """One of the goods as a mail lists it, with what was chosen of it: two colours of one shirt read apart."""
    chosen = beyond_name(name, OPTIONS.split(options))
    return f"・{name}（{chosen}） × {quantity}" if chosen else f"・{name} × {quantity}"
