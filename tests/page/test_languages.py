"""Every language: no word is missing, none runs out of its room, and the choice stays."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

import tiles.viewer
from tests.page.visits import NARROW, Visit, Visitor

WORDS = Path(tiles.viewer.__file__).parent / "src" / "words"
LANGUAGES = sorted(file.stem for file in WORDS.glob("*.ts"))
VIEWS = (
    "",
    "&open=compare&show=difference&class=built",
    "&open=sure",
    "&open=here&place=all",
    "&open=plan",
    "&open=layers",
)
_TEXTS = "button, a, p, h1, h2, h3, li, label, dd, dt, summary, td, th, caption"
_WIDER = """(texts) => [...document.querySelectorAll(texts)]
  .filter((part) => part.clientWidth > 0 && !part.closest(".maplibregl-map, .unseen, .handle"))
  .filter((part) => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).overflowX === "visible")
  .map((part) => part.outerHTML.slice(0, 120))"""
_OUTSIDE = """() => [...document.querySelectorAll(".drawer *, .time *, .map-top *, .legend *, .certainty *")]
  .filter((part) => !part.closest(".unseen, .side-by-side, .cards, svg, .track"))
  .filter((part) => part.getBoundingClientRect().right > innerWidth + 1)
  .map((part) => part.outerHTML.slice(0, 120))"""


def read_words(language: str) -> dict[str, str]:
    entry = re.compile(r'^  (\w+):\s+"((?:[^"\\]|\\.)*)",$', re.MULTILINE)
    return dict(entry.findall((WORDS / f"{language}.ts").read_text("utf-8")))


def test_six_languages_are_spoken() -> None:
    assert set(LANGUAGES) >= {"en", "es", "fr", "id", "pt", "sw"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_fills_in_the_same_names(language: str) -> None:
    english, words = read_words("en"), read_words(language)
    assert words.keys() == english.keys()
    assert len(english) > 150
    for key, text in english.items():
        assert sorted(set(re.findall(r"{\w+}", words[key]))) == sorted(set(re.findall(r"{\w+}", text))), key
        assert words[key].strip() == words[key] != "", key


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_missing_or_runs_out_of_a_phone(
    visit: Visitor, commons_url: str, screenshots: Path, language: str
) -> None:
    visited = visit(f"{commons_url}#landscape=valley&open=here&place=all", NARROW, locale=language)
    expect(visited.page.locator("html")).to_have_attribute("lang", language)
    expect(visited.page.locator(".side-by-side tbody tr")).to_have_count(6)
    for number, view in enumerate(VIEWS):
        visited.page.goto(f"{commons_url}#landscape=valley{view}", wait_until="commit")
        expect(visited.page.locator(".drawer")).to_have_count(1 if "open=" in view else 0)
        visited.page.wait_for_timeout(100)
        assert visited.page.evaluate(_WIDER, _TEXTS) == [], view
        assert visited.page.evaluate(_OUTSIDE) == [], view
        assert not re.search(r"{\w+}|undefined|NaN", visited.page.locator("body").inner_text()), view
        if number == 3:
            visited.page.screenshot(path=screenshots / f"language-{language}.png")


def choose(visited: Visit, language: str) -> None:
    visited.page.locator(".language select").select_option(language)
    expect(visited.page.locator("html")).to_have_attribute("lang", language)


def test_reader_chooses_another_language_and_keeps_the_view(visit: Visitor, commons_url: str) -> None:
    visited = visit(f"{commons_url}#landscape=valley&run=zoning-run-2&year=2030")
    visited.wait_for_map(2030)
    choose(visited, "fr")
    expect(visited.first(".scenarios legend")).to_have_text("Ce qu'il pourrait devenir")
    expect(visited.first(".year-figure")).to_have_text("2030")
    visited.page.reload()
    expect(visited.page.locator("html")).to_have_attribute("lang", "fr")
    choose(visited, "en")
