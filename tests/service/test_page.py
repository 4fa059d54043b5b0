"""The page in a real browser: samples, pasting, mistakes, jobs, colours, small screens."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.keys import new_key
from tests.service.conftest import LOUD, QUIET, Running, free_port

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium of this system, or the one that Playwright brought."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    with playwright.sync_playwright() as engine:
        try:
            found = engine.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except playwright.Error:
            pytest.skip("no Chromium: install it, or run 'playwright install chromium'")
        yield found
        found.close()


@pytest.fixture(scope="module")
def running(toy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Web server and worker, the same for all tests here."""
    folder = str(tmp_path_factory.mktemp("service"))
    settings = {"data_dir": folder, "detectors": ("toy",), "port": free_port()}
    found = Running(settings, toy_model.parent)
    found.start("service.web_server")
    found.start("service.jobs.worker")
    found.wait_until_ready()
    yield found
    found.stop_all()


class Seen:
    """What must not happen on a page: errors, and requests to other places."""

    def __init__(self, page: Any, url: str) -> None:
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda said: self.errors.append(said.text) if said.type == "error" else None,
        )
        page.on(
            "request",
            lambda r: (
                None if r.url.startswith((url, "blob:", "data:")) else self.elsewhere.append(r.url)
            ),
        )


@pytest.fixture
def open_page(browser: Any, running: Running) -> Iterator[Callable[..., Any]]:
    """Open the page; afterwards nothing may have gone wrong on it."""
    opened: list[tuple[Any, Seen]] = []

    def start(path: str = "/", **how: Any) -> Any:
        page = browser.new_context(**how).new_page()
        opened.append((page, Seen(page, running.url)))
        page.goto(running.url + path)
        return page

    yield start
    for page, seen in opened:
        page.context.close()
        assert seen.elsewhere == []
        assert [e for e in seen.errors if "status of 4" not in e] == []


def expect(found: Any) -> Any:
    return playwright.expect(found)


def done(page: Any) -> None:
    expect(page.locator("#status")).to_contain_text("Done", timeout=30_000)


def test_a_sample_shows_profile_course_consistency_and_evidence(open_page: Any) -> None:
    page = open_page()
    page.get_by_label("Target").fill("E+ N-")
    page.get_by_role("button", name="worrier").click()
    done(page)
    expect(page.get_by_role("heading", name="worrier")).to_be_focused()
    for heading in ("Big Five", "Over the turns", "Consistency", "What it rests on"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    track = page.get_by_role("img", name="extraversion. Tom:")
    expect(track).to_be_visible()
    assert "Nadia:" in track.get_attribute("aria-label")
    assert page.locator("li.turn").count() == 16
    expect(page.get_by_text("wanted side", exact=False).first).to_be_visible()
    page.get_by_label("Compare with").select_option("")
    assert "Nadia:" not in page.get_by_role("img", name="extraversion. Tom:").get_attribute(
        "aria-label"
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    saved = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert {row["speaker"] for row in saved["profiles"]} == {"Tom", "Nadia"}


def test_the_report_is_one_file_that_needs_nothing_else(
    open_page: Any, browser: Any, tmp_path: Path
) -> None:
    page = open_page()
    page.get_by_role("button", name="dreamer").click()
    done(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download HTML report").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    text = report.read_text(encoding="utf-8")
    assert "<script" not in text and "http" not in text.replace("http-equiv", "")
    alone = browser.new_context(offline=True).new_page()
    alone.goto(report.as_uri())
    expect(alone.get_by_role("heading", name="Big Five")).to_be_visible()
    expect(alone.get_by_text("weak evidence about a person")).to_be_visible()
    alone.context.close()


def test_a_pasted_dialogue_is_read_and_its_evidence_is_marked(open_page: Any) -> None:
    page = open_page()
    text = f"Ann: {LOUD}\nBob: {QUIET}\nAnn: {LOUD}\n"
    page.get_by_label("Text or dialogue").fill(text)
    page.keyboard.press("Control+Enter")
    done(page)
    first = page.locator("#turn-0")
    expect(first).to_have_class("turn a high")
    expect(first).to_contain_text("extraverted")
    expect(page.locator("#turn-1")).to_have_class("turn b low")
    page.get_by_role("button", name="extraversion").click()
    expect(page.get_by_role("button", name="extraversion")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_text_is_shown_as_text_and_never_run(open_page: Any) -> None:
    page = open_page()
    attack = "<img src=x onerror=document.title='owned'> party"
    page.get_by_label("Text or dialogue").fill(f"<b>Eve</b>: {attack}\nBob: {LOUD}")
    page.get_by_role("button", name="Analyse").click()
    done(page)
    expect(page.locator("#turn-0")).to_contain_text("<img src=x")
    assert page.locator("#results img:not([src^='/static'])").count() == 0
    assert page.title() == "persona-lab"


def test_mistakes_are_told_in_words(open_page: Any) -> None:
    page = open_page()
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_role("alert").first).to_contain_text("There is no text yet")
    expect(page.get_by_label("Text or dialogue")).to_be_focused()
    page.get_by_label("Text or dialogue").fill(f"Ann: {LOUD}\nBob: {QUIET}")
    page.get_by_label("Target").fill("nonsense")
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_role("alert").first).to_contain_text("use Big Five signs", timeout=30_000)
    page.get_by_label("Target").fill("")
    page.get_by_label("Text or dialogue").fill("12 34 !!")
    page.get_by_role("button", name="Analyse").click()
    done(page)


def test_a_file_can_be_opened(open_page: Any, tmp_path: Path) -> None:
    file = tmp_path / "chats.jsonl"
    rows = [
        {"id": f"chat-{i}", "messages": [{"role": "user", "content": t}]}
        for i, t in enumerate((LOUD, QUIET))
    ]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    page = open_page()
    page.locator("#file").set_input_files(file)
    expect(page.locator("#status")).to_contain_text("chats.jsonl")
    page.get_by_role("button", name="Analyse").click()
    done(page)
    page.get_by_label("Dialogue (2)").select_option("1")
    expect(page.get_by_role("heading", name="chat-1")).to_be_visible()


def test_a_job_is_started_followed_and_deleted(open_page: Any) -> None:
    page = open_page("/#jobs")
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    page.get_by_label("Keep where").fill("nonsense > 1")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#start-problem")).to_contain_text("nonsense")
    page.get_by_label("Keep where").fill("extraversion.p_high >= 0 and words > 1")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".state.succeeded")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Show rows").click()
    expect(page.locator("tbody tr")).to_have_count(10)
    expect(page.locator("tbody")).to_contain_text("party-planner")
    page.get_by_role("button", name="Delete rows").click()
    expect(page.get_by_role("button", name="Show rows")).to_have_count(0)


def test_dark_and_light_follow_the_system_and_the_button(open_page: Any) -> None:
    page = open_page(color_scheme="dark")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == "rgb(20, 23, 26)"
    page.get_by_role("button", name="Use light colours").click()
    assert page.evaluate(paper) == "rgb(247, 246, 242)"
    page.reload()
    assert page.evaluate(paper) == "rgb(247, 246, 242)"


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_is_wider_than_a_small_screen(open_page: Any, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    page.get_by_role("button", name="drifting bot").click()
    done(page)
    wider = "() => document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(wider) <= 0
    for path in ("/#jobs", "/docs"):
        page.goto(page.url.split("#")[0].rstrip("/").removesuffix("/docs") + path)
        page.wait_for_timeout(300)
        assert page.evaluate(wider) <= 0


def test_everything_can_be_reached_by_keyboard_and_has_a_name(open_page: Any) -> None:
    page = open_page()
    page.get_by_role("button", name="worrier").wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("input, select, textarea, button, a")]
            .filter((e) => !(e.labels?.length || e.textContent.trim()
                || e.getAttribute("aria-label"))).map((e) => e.id || e.outerHTML)"""
    )
    assert nameless == []
    assert page.evaluate("() => document.documentElement.lang") == "en"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement.id"))
    assert {"text", "target", "go", "clear", "file", "fw-bigfive"} <= reached


def test_the_documentation_lists_every_operation_with_code(open_page: Any) -> None:
    page = open_page("/docs")
    expect(page.locator(".operation").first).to_be_visible()
    assert page.locator(".operation").count() == 18
    code = page.locator(".operation", has_text="/v1/profiles").locator("pre").first.inner_text()
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = json.loads(said.stdout)
    assert told["items"][0]["id"] == "party"
    assert page.locator("#too-many-items").count() == 1


def test_a_key_is_asked_for_where_one_is_needed(
    browser: Any, run_processes: Callable[..., Running]
) -> None:
    key, line = new_key("alice")
    found = run_processes(keys=(line,))
    found.start("service.web_server")
    found.wait_until_ready()
    page = browser.new_context().new_page()
    page.goto(found.url)
    page.get_by_role("dialog").wait_for()
    page.get_by_label("Key", exact=True).fill(key)
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("button", name="worrier").click()
    done(page)
    page.context.close()
