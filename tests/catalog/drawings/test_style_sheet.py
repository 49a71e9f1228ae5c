"""The style sheet: contrast that can be read, one dark palette, and a rule for every class that is drawn."""

import re
from pathlib import Path

import pytest

from tests.catalog.drawings.test_drawing_snapshots import DRAWINGS

SHEET = (Path(__file__).parents[3] / "static/featurestore/css/featurestore.css").read_text(encoding="utf-8")
TEXT = ("ink", "ink-soft", "accent", "accent-strong", "good", "warn", "bad", "calm", "special")
MARKS = ("bar", "bar-rest", "mark", "line-strong")


def palette(selector: str) -> dict[str, str]:
    block = SHEET[SHEET.index(selector + " {") :]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[: block.index("}")]))


PALETTES = {"light": palette(":root"), "dark": palette(':root[data-theme="dark"]')}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, WCAG 2.2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("token", TEXT)
def test_text_can_be_read(theme: str, token: str) -> None:
    tokens = PALETTES[theme]
    grounds = ["canvas", "surface", "raised"]
    grounds += [f"{token}-wash"] if f"{token}-wash" in tokens else []
    grounds += ["accent-wash"] if token in {"ink", "ink-soft", "accent-strong"} else []
    grounds += ["good-wash", "warn-wash", "bad-wash"] if token == "ink" else []
    assert {ground: contrast(tokens[token], tokens[ground]) >= 4.5 for ground in grounds} == dict.fromkeys(
        grounds, True
    )


@pytest.mark.parametrize("theme", PALETTES)
def test_marks_and_buttons_can_be_seen(theme: str) -> None:
    tokens = PALETTES[theme]
    assert all(contrast(tokens[mark], tokens["surface"]) >= 3 for mark in MARKS)
    assert contrast(tokens["on-accent"], tokens["accent"]) >= 4.5


def test_dark_is_the_same_by_choice_and_by_system() -> None:
    assert palette(':root:not([data-theme="light"])') == PALETTES["dark"]
    assert set(PALETTES["dark"]) == set(PALETTES["light"])


def test_every_token_that_is_used_is_set() -> None:
    assert set(re.findall(r"var\(--([\w-]+)\)", SHEET)) <= set(re.findall(r"--([\w-]+):", SHEET))


def test_no_other_host_is_asked() -> None:
    assert "@import" not in SHEET
    assert "url(" not in SHEET


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_drawn_class_has_a_rule(name: str) -> None:
    drawn = {one for group in re.findall(r'class="([^"]+)"', DRAWINGS[name]()) for one in group.split()}
    # Kinds and states are open lists; what they have in common is styled on their first class.
    closed = {
        one
        for one in drawn
        if not re.match(
            r"d-(?:node|run)--|d-cell--(?!good|warn|bad|late|running|none)|drawing--(?:lineage|heat)|d-(?:node|edge|run|label)$",
            one,
        )
    }
    assert {one for one in closed if f".{one}" not in SHEET} == set()
