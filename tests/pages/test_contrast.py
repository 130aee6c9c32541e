"""Every pair of colours that carries text or draws a control is legible in both themes (WCAG 2.2 AA)."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TOKENS = (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text()
PAIRS = {
    name: values for name, *values in re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", TOKENS)
}
TONES = ["neutral", "info", "attention", "waiting", "ready", "done", "danger"]
GROUNDS = ["ground", "surface", "sunken", "raised", "hover"]

TEXT = [
    *[(ink, ground) for ink in ["ink", "ink-soft", "accent", "accent-hover"] for ground in [*GROUNDS, "accent-soft"]],
    *[("ink-faint", ground) for ground in ["ground", "surface", "sunken", "raised"]],
    *[(f"{tone}-ink", ground) for tone in TONES for ground in [f"{tone}-soft", "surface", "ground", "raised", "hover"]],
    *[("danger-ink", "accent-soft"), ("attention-ink", "accent-soft")],
    *[("accent-ink", "accent"), ("accent-ink", "accent-hover"), ("danger-solid-ink", "danger-solid")],
]
EDGES = [
    *[("line-strong", ground) for ground in ["surface", "ground", "raised"]],
    *[("accent", ground) for ground in GROUNDS],
    *[("danger-solid", ground) for ground in ["surface", "raised"]],
]


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_the_known_one():
    assert round(contrast("#ffffff", "#000000"), 1) == 21.0
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_is_legible(ink, ground, theme):
    assert contrast(PAIRS[ink][theme], PAIRS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_of_controls_and_the_focus_ring_can_be_seen(edge, ground, theme):
    assert contrast(PAIRS[edge][theme], PAIRS[ground][theme]) >= 3


def test_no_stylesheet_brings_a_colour_that_this_test_does_not_know():
    for sheet in (Path(settings.BASE_DIR) / "static/css").glob("*.css"):
        if sheet.name not in {"tokens.css", "print.css"}:
            assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", sheet.read_text()), sheet.name
