"""Reports: what the file is, and what a reader sees of it in a real Chromium."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from summarizer.digest import Summary, Usage
from summarizer.evals.compare import compare
from summarizer.evals.gates import judge
from summarizer.evals.report import render_report
from summarizer.evals.runs import Run, System
from summarizer.evals.sets import Gate
from tests.browser import CHROMIUM, DRIVER, chromium, console, emulate, requests
from tests.made_runs import MINE, case, eval_set, finding, result, run, scored, unanswered

AXE = Path(__file__).parents[1] / "build/peers/node_modules/axe-core/axe.min.js"

needs_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium")

HOSTILE = (
    "<script>document.title = 'owned'</script>",
    "</script><script>document.title = 'owned'</script>",
    "<!--<script>",
    "--> ]]> </title></style>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\u202egnirts desrever",
    "line\u2028end\u2029\x00\x1b[31m",
    "{{title}} ${title} `x` &lt;b&gt;",
    "W" * 100_000,
)


# --- the file ------------------------------------------------------------------------------------


class Scripts(HTMLParser):
    """What stands in the scripts and styles of a file, and in its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag in ("script", "style")
        if self._inside:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data

    @property
    def page(self) -> dict[str, Any]:
        """What the report says of the whole run."""
        found: dict[str, Any] = json.loads(self.texts[1])
        return found

    @property
    def cases(self) -> list[dict[str, Any]]:
        """The texts that each case opens to."""
        return [json.loads(line) for line in self.texts[2].split("\n") if line]


def titled(title: str) -> Run:
    one = case(1, input=title, target=title, metadata={"title": title})
    found = finding(message=title, evidence=title, span=(0, len(title)))
    return run([one], [result(one, {"chrf": 1.0}, points=[title], findings=[found])])


@given(st.text(min_size=1))
def test_any_text_comes_back_as_it_was(title: str) -> None:
    text = render_report(titled(title))
    text.encode()
    read = Scripts(text)
    assert read.page["rows"][0]["title"] == title
    assert read.cases[0]["abstract"] == title
    assert read.cases[0]["now"][0]["steps"][0]["points"] == [title]


def test_half_a_character_is_kept_and_hinders_nothing() -> None:
    one = case(1, input="\ud800")
    text = render_report(run([one], [result(one, {}, points=["\udfff 모델"])]))
    text.encode()
    (detail,) = Scripts(text).cases
    assert detail["abstract"] == "\ud800"
    assert detail["now"][0]["steps"][0]["points"] == ["\udfff 모델"]


@pytest.mark.parametrize("title", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_adds_a_tag_or_ends_one(title: str) -> None:
    hostile, plain = (Scripts(render_report(titled(text))) for text in (title, "Paper"))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert hostile.page["rows"][0]["title"] == title


def test_only_its_own_script_and_style_may_run_and_nothing_is_fetched() -> None:
    read = Scripts(render_report(titled("Paper")))
    (policy,) = (
        attributes["content"]
        for tag, attributes in read.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    style, script = (
        base64.b64encode(hashlib.sha256(read.texts[at].encode()).digest()).decode()
        for at in (0, -1)
    )
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not any("src" in attributes or "href" in attributes for _, attributes in read.tags)
    assert ("html", {"lang": "en"}) in read.tags


def test_equal_runs_give_equal_files() -> None:
    assert render_report(titled("Paper")) == render_report(titled("Paper"))


def test_failed_cases_come_first_then_those_that_moved_most() -> None:
    before, now = scored([50.0] * 8), scored([50.0, 51, 40, 50, 50, 58, 50, 49])
    failed = judge(eval_set(now.cases, [Gate(score="chrf", min=60)]), now)
    assert Scripts(render_report(now, verdict=failed)).page["rows"][0]["state"] == "blamed"
    page = Scripts(render_report(now, comparison=compare(before, now))).page
    assert [row["id"] for row in page["rows"]][:4] == [
        "2401.00002", "2401.00005", "2401.00001", "2401.00007",
    ]  # fmt: skip


def test_a_wrong_answer_that_was_wanted_does_not_fail_its_case() -> None:
    wanted = case(1, metadata={"title": "Wrong", "findings": ["numbers"]})
    other = case(2)
    entry = {"status": "failed", "cause": "findings", "reason": "it is wrong"}
    now = run(
        [wanted, other],
        [
            result(one, {"found": 1.0}, findings=[finding()], entry=dict(entry))
            for one in (wanted, other)
        ],
    )
    states = {row["id"]: row["state"] for row in Scripts(render_report(now)).page["rows"]}
    assert states == {"2401.00001": "passed", "2401.00002": "failed"}


def test_costs_are_told_where_tokens_and_prices_are_known() -> None:
    one = case(1)
    known = System(prompt="mine", model="openai:gpt-4o")
    answers = [result(one, {"chrf": 1.0}, system=system) for system in (known, MINE)]
    priced = answers[0].entry
    assert priced
    assert priced.provenance
    used = priced.provenance.model_copy(
        update={"tokens": Usage(prompt=1_000_000, completion=100_000, cached=400_000)}
    )
    answers[0] = answers[0].model_copy(
        update={"entry": priced.model_copy(update={"provenance": used})}
    )
    first, second = Scripts(render_report(run([one], answers))).page["costs"]
    assert first["tokens"] == {
        "prompt": 1_000_000, "completion": 100_000, "cached": 400_000, "reasoning": 0,
    }  # fmt: skip
    assert first["dollars"] == pytest.approx(0.6 * 2.5 + 0.4 * 1.25 + 0.1 * 10)
    assert second["tokens"] is second["dollars"] is None


# --- in a browser --------------------------------------------------------------------------------


OLD_PROMPT = "system:\nBe exact.\n\nuser:\n{{abstract}}\n"
NEW_PROMPT = "system:\nBe brief.\n\nuser:\n{{abstract}}\n"
LATER = System(prompt="later", model="openai:m")


def compared_report() -> str:
    """Thirty cases, in which chrf is worse, rouge.1 is not clearly anything, and others agree."""
    cases = [case(number, target="기준이 되는 문장이다.") for number in range(30)]
    cases[4] = case(4, metadata={"title": "A paper about 한국어 and 😀"})
    before = []
    now = []
    for number, one in enumerate(cases):
        noise = (number * 7 % 11) / 10
        scores = {"chrf": 50 + noise, "rouge.1": 30.0, "numbers.errors": 0.0}
        changed = {**scores, "chrf": 48 - noise, "rouge.1": 30 + (-1) ** number * noise}
        before.append(result(one, scores))
        findings = []
        points = ["모델을 학습한다."]
        if number == 4:
            points = ["😀😀 정확도는 45%이다.", "모델을 새로 학습한다."]
            changed["numbers.errors"] = 2.0
            findings = [
                finding(span=(8, 11), evidence="accuracy of 54%", fix="54%"),
                finding(
                    "정확도는 45% is too bold", span=(3, 11), severity="warning", check="names"
                ),
                finding("a point too many", point=None, check="shape", severity="warning"),
            ]
        if number == 9:
            now.append(unanswered(one, "the server said no", system=LATER))
            continue
        now.append(result(one, changed, points=points, findings=findings, system=LATER))
    gates = [Gate(score="chrf", drop=1), Gate(score="numbers.errors", max=0)]
    first = run(cases, before, texts={"a" * 64: OLD_PROMPT})
    second = run(cases, now, prompts={"later": "c" * 64}, texts={"c" * 64: NEW_PROMPT})
    return render_report(second, verdict=judge(eval_set(cases, gates), second, first))


def repeated_report() -> str:
    """Two systems, asked 120 cases twice."""
    cases = [case(number) for number in range(120)]
    now = [
        result(one, {"chrf": number + sample}, system=system, sample=sample)
        for system in (MINE, LATER)
        for number, one in enumerate(cases)
        for sample in range(2)
    ]
    return render_report(run(cases, now))


def hostile_report() -> str:
    cases = [
        case(
            n,
            id=f"{n}{''.join(text[:40].split())}",
            input=text,
            target=text,
            metadata={"title": text},
        )
        for n, text in enumerate(HOSTILE)
    ]
    answers = [
        result(
            one,
            {"chrf": float(n)},
            points=[text, text],
            findings=[finding(message=text, evidence=text, span=(0, 3), check=text[:40])],
            entry={"status": "failed", "cause": "findings", "reason": text},
        )
        for n, (one, text) in enumerate(zip(cases, HOSTILE, strict=True))
    ]
    texts = {"a" * 64: "\n".join(HOSTILE)}
    now = run(cases, answers, set=HOSTILE[0], prompts={"mine": "a" * 64}, texts=texts)
    verdict = judge(eval_set(cases, [Gate(score="chrf", min=100)]), now, now)
    return render_report(now, verdict=verdict)


def repaired_report() -> str:
    """An answer that could not be read, its repair, and what was mended; all cases moved alike."""
    one = case(1)
    first = finding("this is no JSON", None, check="answer")
    now = result(one, {"chrf": 49.0}, points=["모델을 학습 한다."], findings=[first])
    assert now.entry
    assert now.entry.provenance
    (attempt,) = now.entry.provenance.attempts
    mended = finding("a space too many", 0, check="josa", span=(6, 6), fix="")
    attempts = (
        attempt.model_copy(update={"summary": None}),
        attempt.model_copy(update={"findings": (mended,), "mended": (mended,)}),
    )
    entry = now.entry.model_copy(
        update={
            "summary": Summary(points=["모델을 학습한다."]),
            "provenance": now.entry.provenance.model_copy(update={"attempts": attempts}),
        }
    )
    cases = [one, *(case(number) for number in range(2, 10))]
    before = run(cases, [result(other, {"chrf": 50.0}) for other in cases])
    others = [result(other, {"chrf": 49.0}) for other in cases[1:]]
    after = run(cases, [now.model_copy(update={"entry": entry}), *others])
    return render_report(after, comparison=compare(before, after))


def few_report() -> str:
    """Three cases, which are too few for an interval."""
    return render_report(
        scored([51.0, 49.0, 50.0]), comparison=compare(scored([50.0] * 3), scored([51.0, 49.0, 50]))
    )


REPORTS = {
    "few": few_report,
    "repaired": repaired_report,
    "compared": compared_report,
    "repeated": repeated_report,
    "hostile": hostile_report,
    "empty": lambda: render_report(run([], [])),
}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for name, report in REPORTS.items():
        (folder / f"{name}.html").write_text(report(), encoding="utf-8")
    return folder


class Reader:
    """Somebody who looks at a report."""

    def __init__(self, browser: Chrome, folder: Path) -> None:
        self.browser = browser
        self._folder = folder
        self.opened: set[str] = set()

    def open(self, name: str, at: str = "") -> None:
        address = (self._folder / f"{name}.html").as_uri()
        self.opened.add(address)
        self.browser.get("about:blank")
        self.browser.get(address + at)

    def one(self, css: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def texts(self, css: str, told: str = "innerText") -> list[str]:
        """The texts of all such elements as they are seen, or as they are in the page."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].map((one) => one[arguments[1]])"
        )
        found: list[str] = self.browser.execute_script(script, css, told)
        return found

    def titles(self) -> list[str]:
        return self.texts(".cases .title")

    def header(self, name: str) -> WebElement:
        return self.all(".cases thead th")[self.texts(".cases thead th").index(name)]

    def pick(self, name: str, value: str) -> None:
        Select(self.one(f"#{name}")).select_by_value(value)

    @property
    def count(self) -> str:
        return self.one("#cases [role=status]").text

    @property
    def detail(self) -> WebElement:
        # A link opens its case after the click has ended.
        opened = WebDriverWait(self.browser, 10).until(lambda _: self.all("tr.detail"))
        return opened[0]

    def press(self, *keys: str) -> None:
        self.browser.switch_to.active_element.send_keys(*keys)


@pytest.fixture
def reader(browser: Chrome, folder: Path) -> Iterator[Reader]:
    """Whatever is done with a page, its console is silent and the network is asked for nothing."""
    reader = Reader(browser, folder)
    emulate(browser)
    console(browser)
    requests(browser)
    yield reader
    assert console(browser) == []
    assert requests(browser) <= reader.opened


@needs_chromium
def test_the_comparison_says_what_is_real_and_what_is_not(reader: Reader) -> None:
    reader.open("compared")
    sections = reader.texts("main h2")
    assert sections == ["Comparison", "Gates", "Cases", "Prompts", "Scores", "Costs"]
    assert reader.one(".lead").text == (
        "Of 3 scores that differ, 1 is worse; no evidence of a difference in 2."
    )
    reader.one("#comparison summary").click()
    said = {
        row.find_element(By.CSS_SELECTOR, "th").text.split(" ")[0]: row
        for row in reader.all("#comparison tbody tr")
    }
    assert said["chrf"].text.endswith("worse")
    assert "no evidence: needs" in said["rouge.1"].text
    label = said["chrf"].find_element(By.CSS_SELECTOR, "svg").get_attribute("aria-label")
    assert label
    assert label.startswith("difference −2.99")
    assert "95 % interval −3.2" in label


@needs_chromium
def test_the_comparison_shows_which_sentences_changed(reader: Reader) -> None:
    reader.open("compared")
    shown = reader.all(".moved")
    assert len(shown) == 5
    (case4,) = (one for one in shown if "2401.00004" in one.text)
    assert case4.text.startswith("worse A paper about 한국어 and 😀")
    assert "error new numbers 45% is not in the abstract" in case4.text
    changed = case4.find_elements(By.CSS_SELECTOR, ".diff > li")
    assert "정확도는 45%이다." in changed[0].text
    case4.find_element(By.CSS_SELECTOR, "a").click()
    assert "We train 4 models." in reader.detail.text
    reader.open("repeated")
    assert reader.all(".moved") == []


@needs_chromium
def test_an_interval_is_drawn_where_it_lies(reader: Reader) -> None:
    reader.open("compared")
    worse = [
        {name: float(line.get_attribute(name) or "nan") for name in ("x1", "x2")}
        for line in reader.all("#comparison line.interval.worse")
    ]
    middle = float(reader.one("#comparison line.axis").get_attribute("x1") or "nan")
    assert worse
    assert all(line["x1"] < line["x2"] < middle for line in worse)
    (unclear,) = reader.all("#comparison tr.no-evidence:has(th) line.interval")[:1]
    assert float(unclear.get_attribute("x1") or 0) < middle
    assert middle < float(unclear.get_attribute("x2") or 0)


@needs_chromium
def test_too_few_cases_have_no_interval(reader: Reader) -> None:
    reader.open("few")
    (row,) = reader.all("#comparison tbody tr")
    assert row.find_elements(By.CSS_SELECTOR, "circle")
    assert not row.find_elements(By.CSS_SELECTOR, "line.interval")


@needs_chromium
def test_a_failed_gate_leads_to_the_cases_that_made_it_fail(reader: Reader) -> None:
    reader.open("compared")
    (numbers,) = (one for one in reader.all(".failures > li") if "numbers.errors is" in one.text)
    reader.pick("state", "passed")
    numbers.find_element(By.CSS_SELECTOR, "a").click()
    assert "45% is not in the abstract" in reader.detail.text
    assert reader.browser.switch_to.active_element.text.startswith("A paper about")


@needs_chromium
def test_headers_sort_by_mouse_and_keyboard(reader: Reader) -> None:
    reader.open("repeated")
    reader.header("chrf").find_element(By.CSS_SELECTOR, "button").click()
    assert reader.header("chrf").get_attribute("aria-sort") == "descending"
    assert reader.titles()[:3] == ["Paper 119", "Paper 119", "Paper 118"]
    reader.press(Keys.ENTER)
    assert reader.header("chrf").get_attribute("aria-sort") == "ascending"
    assert reader.titles()[:3] == ["Paper 0", "Paper 0", "Paper 1"]
    reader.press(Keys.SPACE)
    assert reader.header("chrf").get_attribute("aria-sort") is None
    assert reader.titles()[:3] == ["Paper 0", "Paper 1", "Paper 2"]
    reader.header("Case").find_element(By.CSS_SELECTOR, "button").click()
    assert reader.titles()[:3] == ["Paper 0", "Paper 0", "Paper 1"]


@needs_chromium
def test_cases_are_searched_in_all_their_texts(reader: Reader) -> None:
    reader.open("compared")
    assert reader.count == "30 cases"
    search = reader.one("#search")
    for words, found in (
        ("PAPER 17", "Paper 17"),  # a title, in other letters
        ("2401.00021", "Paper 21"),
        ("train 5 models", "Paper 5"),  # an abstract
        ("정확도는 abstract", "A paper about 한국어 and 😀"),  # words of points and findings
    ):
        search.clear()
        search.send_keys(words)
        assert found in reader.titles()
        assert reader.count.endswith("of 30 cases")
    search.clear()
    search.send_keys("nowhere")
    assert reader.titles() == []
    assert reader.count == "0 of 30 cases"
    reader.one(".filters button").click()
    assert reader.count == "30 cases"
    assert search.get_attribute("value") == ""


@needs_chromium
def test_cases_are_filtered_by_outcome_check_and_system(reader: Reader) -> None:
    reader.open("compared")
    reader.pick("check", "names")
    assert reader.titles() == ["A paper about 한국어 and 😀"]
    reader.pick("check", "")
    reader.pick("state", "failed")
    assert reader.titles() == ["Paper 9"]
    assert reader.texts(".cases td .badge") == ["no answer"]
    reader.pick("state", "worse")
    assert reader.count == "24 of 30 cases"
    reader.open("repeated")
    assert reader.count == "240 rows"
    reader.pick("system", "later with openai:m")
    assert reader.count == "120 of 240 rows"
    assert set(reader.texts(".cases td.wide")) == {"later with openai:m"}


@needs_chromium
def test_long_tables_are_turned_page_by_page(reader: Reader) -> None:
    reader.open("repeated")
    assert len(reader.titles()) == 100
    assert reader.one(".pager").text.split("\n")[1] == "1–100 of 240"
    for _ in range(2):
        reader.all(".pager button")[1].click()
    assert len(reader.titles()) == 40
    assert not reader.all(".pager button")[1].is_enabled()


@needs_chromium
def test_a_case_opens_to_its_texts_with_findings_marked(reader: Reader) -> None:
    reader.open("compared")
    reader.one("#search").send_keys("한국어")
    button = reader.one(".opens")
    assert button.get_attribute("aria-expanded") == "false"
    button.send_keys(Keys.ENTER)
    assert reader.one(".opens").get_attribute("aria-expanded") == "true"
    assert "We train 4 models." in reader.detail.text
    marks = [(m.text, m.get_attribute("class")) for m in reader.all(".points mark")]
    # Code points, not UTF-16 units; one finding lies within the other.
    assert marks == [("정확도는 ", "warning"), ("45%", "error")]
    title = reader.all(".points mark")[1].get_attribute("title") or ""
    assert "numbers: 45% is not in the abstract (abstract: accuracy of 54%)" in title
    assert "is too bold" in title
    listed = reader.texts(".detail .findings li")
    assert listed == [
        "1 error new numbers 45% is not in the abstract abstract: accuracy of 54% right: 54%",
        "2 warning new names 정확도는 45% is too bold",
        "warning new shape a point too many",
    ]
    assert {points.get_attribute("lang") for points in reader.all(".points, .diff")} == {"ko"}
    assert reader.one(".findings").get_attribute("lang") == "en"
    assert "학습한다." in reader.one(".detail .diff").text
    assert "새로 " in reader.texts(".detail .diff ins", "textContent")[-1]
    reader.one(".opens").click()
    assert reader.all("tr.detail") == []


@needs_chromium
def test_each_of_several_answers_can_be_read(reader: Reader) -> None:
    reader.open("repeated", "#case-3")
    answers = reader.detail.find_elements(By.CSS_SELECTOR, "details")
    assert [answer.find_element(By.CSS_SELECTOR, "summary").text for answer in answers] == [
        "Answer 1 of 2 ok",
        "Answer 2 of 2 ok",
    ]
    assert [answer.get_attribute("open") for answer in answers] == ["true", None]


@needs_chromium
def test_repairs_and_what_was_mended_are_shown_step_by_step(reader: Reader) -> None:
    reader.open("repaired")
    reader.one("#search").send_keys("2401.00001")
    reader.one(".opens").click()
    assert reader.texts(".detail h4") == ["As first answered", "Repair 1", "Mended"]
    assert "The answer could not be read." in reader.detail.text
    assert "this is no JSON" in reader.detail.text
    points = reader.texts(".points > li > span")
    assert points == ["모델을 학습한다.", "모델을 학습 한다.", "모델을 학습한다."]


@needs_chromium
def test_what_moved_alike_in_every_case_is_drawn_at_the_end(reader: Reader) -> None:
    reader.open("repaired")
    axis = float(reader.one("#comparison line.axis").get_attribute("x1") or "nan")
    assert float(reader.one("#comparison circle.worse").get_attribute("cx") or "nan") < axis / 4


@needs_chromium
def test_prompts_are_compared_line_by_line(reader: Reader) -> None:
    reader.open("compared")
    assert reader.texts("#prompts h3") == ["mine → later"]
    assert reader.texts("#prompts del") == ["-Be exact.\n"]
    assert reader.texts("#prompts ins") == ["+Be brief.\n"]


@needs_chromium
def test_hostile_texts_stay_texts(reader: Reader) -> None:
    reader.open("hostile")
    reader.browser.execute_script(
        "document.querySelectorAll('.opens, details:not([open]) > summary')"
        ".forEach((one) => one.click())"
    )
    assert reader.browser.title == f"{HOSTILE[0]}: eval report"
    assert reader.all("img, iframe, object, script[src], main script, main style") == []
    for css in (".cases .title", ".points > li > span", ".text", ".findings bdi"):
        assert {*reader.texts(css, "textContent")} >= {*HOSTILE}, css


@needs_chromium
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_nothing_makes_the_page_wider_than_its_window(reader: Reader, *, phone: bool) -> None:
    emulate(reader.browser, phone=phone)
    for name in ("hostile", "compared"):
        reader.open(name, "#case-0")
        width = "return [document.documentElement.scrollWidth, window.innerWidth]"
        page, window = reader.browser.execute_script(width)
        assert page <= window
        assert window == (390 if phone else 1280)


@needs_chromium
def test_the_policy_lets_nothing_in_and_nothing_out(reader: Reader) -> None:
    reader.open("compared")
    refused = reader.browser.execute_async_script(
        "const done = arguments[0];"
        "const image = new Image(); image.src = 'http://127.0.0.1:9/image';"
        "const script = document.createElement('script'); script.text = 'window.ran = true';"
        "document.body.append(image, script);"
        "fetch('http://127.0.0.1:9/').then(() => done('sent'), () => done(String(window.ran)));"
    )
    assert refused == "undefined"
    assert any("Content Security Policy" in told for told in console(reader.browser))


@needs_chromium
def test_light_and_dark_follow_the_system(reader: Reader) -> None:
    background = "return getComputedStyle(document.body).backgroundColor"
    reader.open("compared")
    assert reader.browser.execute_script(background) == "rgb(255, 255, 255)"
    emulate(reader.browser, dark=True)
    assert reader.browser.execute_script(background) == "rgb(20, 23, 28)"


@needs_chromium
def test_on_paper_it_is_light_and_nothing_is_cut_off(reader: Reader) -> None:
    reader.open("compared")
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    reader.browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"media": "print", "features": [dark]}
    )
    shown = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    assert reader.browser.execute_script(shown, "body", "backgroundColor") == "rgb(255, 255, 255)"
    assert reader.browser.execute_script(shown, ".scrolls", "overflowX") == "visible"
    assert not reader.one("#search").is_displayed()


@needs_chromium
def test_a_run_without_anything_says_so(reader: Reader) -> None:
    reader.open("empty")
    assert reader.count == "0 cases"


@needs_chromium
@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("name", "phone"), [("compared", False), ("compared", True), ("repeated", False)]
)
def test_axe_finds_nothing(reader: Reader, name: str, *, phone: bool, dark: bool) -> None:
    emulate(reader.browser, dark=dark, phone=phone)
    reader.open(name, "#case-0")
    reader.browser.execute_script(AXE.read_text("utf-8"))
    found = reader.browser.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(arguments[0])"
    )
    told = partial(json.dumps, ensure_ascii=False, indent=1)
    assert found["violations"] == [], told(found["violations"])
    assert len(found["passes"]) > 20
