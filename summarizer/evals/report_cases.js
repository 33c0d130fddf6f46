// The second half of the report's script, after report.js: the table of cases, and the page itself.

// --- one case ----------------------------------------------------------------------------------

// The text with its findings marked; spans count code points and may lie across each other.
function marked(text, findings) {
  const points = Array.from(text);
  const spans = findings.filter(({ span }) => span);
  const ends = spans.flatMap(({ span }) => span).filter((at) => at > 0 && at < points.length);
  const cuts = [...new Set([0, ...ends, points.length])].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((from, at) => {
    const piece = points.slice(from, cuts[at + 1]).join("");
    const over = spans.filter(({ span }) => span[0] <= from && span[1] > from);
    if (!over.length) return piece;
    const last = over.filter(({ span }) => span[1] <= cuts[at + 1] || at === cuts.length - 2);
    return el("mark", {
      class: over.some(({ severity }) => severity === "error") ? "error" : "warning",
      title: over.map(told).join("\n"),
      "data-numbers": last.map(({ number }) => number).join(" "),
    }, piece);
  });
}

const told = ({ check, message, evidence }) =>
  `${check}: ${message}${evidence ? ` (abstract: ${evidence})` : ""}`;

const drawFinding = ({ number, check, severity, message, evidence, fix, tag }) =>
  el("li", { class: severity },
    number != null && el("span", { class: "index" }, number, " "),
    badge(severity), " ", tag && [badge(tag), " "], el("b", {}, check), " ", el("bdi", {}, message),
    evidence && [" ", el("span", { class: "soft" }, "abstract: ", el("q", {}, evidence))],
    fix != null && [" ", el("span", { class: "soft" }, "right: ",
      fix ? el("q", { lang: "ko" }, fix) : "nothing")]);

const drawFindings = (findings) =>
  findings.length > 0 && el("ul", { class: "findings", lang: "en" }, findings.map(drawFinding));

function drawStep({ name, points, findings }, several) {
  let marks = 0;
  const numbered = findings.map((one) =>
    one.span && one.span[0] < one.span[1] ? { ...one, number: ++marks } : one);
  const of = (index) => numbered.filter(({ point }) => point === index);
  const elsewhere = numbered.filter(({ point }) => points?.[point] == null);
  return [
    several && el("h4", {}, name),
    points
      ? el("ol", { class: "points", lang: "ko" },
          points.map((text, index) =>
            el("li", {}, el("span", {}, marked(text, of(index))), drawFindings(of(index)))))
      : el("p", { class: "soft" }, "The answer could not be read."),
    drawFindings(elsewhere),
  ];
}

const drawAnswer = ({ reason, steps }) => [
  reason && el("p", { class: "reason" }, el("bdi", {}, reason)),
  steps.map((step) => drawStep(step, steps.length > 1)),
];

function drawAnswers(title, answers) {
  const block = (...children) => el("div", {}, children);
  if (answers.length === 1)
    return block(el("h3", {}, title, " ", badge(answers[0].status)), drawAnswer(answers[0]));
  const tagged = answers.findIndex(({ steps }) => steps.some((s) => s.findings.some((f) => f.tag)));
  return block(el("h3", {}, title), !answers.length && el("p", { class: "soft" }, "No answer."),
    answers.map((answer, at) =>
      el("details", { open: at === Math.max(0, tagged) },
        el("summary", {},
          `Answer ${answer.sample + 1} of ${answers.length} `, badge(answer.status)),
        drawAnswer(answer))));
}

function drawCaseScores({ scores, moves }) {
  const rows = scoreNames.filter((name) => scores[name] != null).map((name) => {
    const move = moves[name];
    return el("tr", {}, el("th", { scope: "row" }, name), number(figure(scores[name])),
      compared && number(move ? signed(move) : ""));
  });
  const head = ["Score", "Now", compared && "Change"].filter(Boolean);
  return rows.length > 0 && el("div", {}, el("h3", {}, "Scores"),
    el("table", { class: "small" },
      el("thead", {}, el("tr", {},
        head.map((name, at) => heading(name, { class: at ? "number" : null })))),
      el("tbody", {}, rows)));
}

// From the points before to the points now, all or those that changed; a line end ends a point.
function drawDiff(diff, changedOnly = false) {
  const names = { same: "span", removed: "del", added: "ins" };
  const points = [[]];
  for (const [kind, words] of diff)
    words.split("\n").forEach((part, at) => {
      if (at) points.push([]);
      if (part) points.at(-1).push(el(names[kind], {}, part));
    });
  return el("ul", { class: "diff", lang: "ko" },
    points.filter((parts) =>
      changedOnly ? parts.some(({ localName }) => localName !== names.same) : parts.length)
      .map((parts) => el("li", {}, parts)));
}

const prose = (title, lang, text) =>
  el("div", {}, el("h3", {}, title), el("p", { class: "text", lang }, text));

function drawCase(row) {
  const { failed, abstract, target, now } = JSON.parse(texts[row]);
  const { before, diff } = JSON.parse(changes[row]);
  return [
    Object.keys(failed).length > 0 && el("p", { class: "reason" },
      "Makes gates fail: ", Object.keys(failed).join(", "),
      Object.values(failed).flat().map((reason) => [" · ", el("bdi", {}, reason)])),
    el("div", { class: "columns" },
      prose("Abstract", "en", abstract || "Not part of this run."),
      before && el("div", {}, el("h3", {}, "Word by word, as first answered"),
        diff.length ? drawDiff(diff) : el("p", { class: "soft" }, "The text is the same.")),
      before && drawAnswers("Before", [before]),
      drawAnswers(before ? "Now" : "Answer", now),
      target && prose("Reference", "ko", target),
      drawCaseScores(page.rows[row])),
  ];
}

// --- the table: what is searched, filtered, sorted and on which page ----------------------------

const SHOWN = 100;
const compared = page.rows.some(({ moved }) => moved != null);
const scoreNames = page.scores.map(({ name }) => name).filter((name) => {
  const values = page.rows.map(({ scores }) => scores[name]).filter((value) => value != null);
  const moved = page.rows.some(({ moves }) => name in moves);
  return moved || values.some((value) => value !== values[0]);
});

const view = {
  query: "", state: "", check: "", system: "", score: scoreNames[0], sort: null, from: 0,
};
const open = new Set();
let found = [];

const columns = () => [
  { key: "case", label: "Case", of: ({ title }) => title },
  page.systems.length > 1 &&
    { key: "system", label: "System", of: ({ system }) => system, wide: true },
  { key: "state", label: "Outcome", of: ({ state }) => state },
  { key: "findings", label: "Findings", numeric: true,
    of: ({ errors, warnings }) => errors * 1e6 + warnings },
  compared && { key: "moved", label: "Moved", numeric: true, wide: true, of: ({ moved }) => moved },
  view.score &&
    { key: "score", label: view.score, numeric: true, of: ({ scores }) => scores[view.score] },
  view.score && compared && { key: "change", label: "Change", numeric: true, wide: true,
    of: ({ moves }) => moves[view.score] },
].filter(Boolean);

// What a case is searched by is put together while nobody waits, or when it is first needed.
const searched = [];
function searchedText(row) {
  const { id, title } = page.rows[row];
  const { abstract, target, now } = JSON.parse(texts[row]);
  const steps = now.flatMap((answer) => answer.steps);
  return [id, title, abstract, target, ...steps.flatMap(({ points }) => points ?? []),
    ...steps.flatMap(({ findings }) => findings.map(({ message }) => message))]
    .join("\n").normalize("NFC").toLowerCase();
}
const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 20));
function prepare() {
  const until = performance.now() + 8;
  while (searched.length < page.rows.length && performance.now() < until)
    searched.push(searchedText(searched.length));
  if (searched.length < page.rows.length) idle(prepare);
}

const states = {
  "": () => true,
  failed: ({ state }) => state === "failed" || state === "no answer",
  blamed: ({ state }) => state !== "passed",
  passed: ({ state }) => state === "passed",
  findings: ({ errors, warnings }) => errors + warnings > 0,
  worse: ({ moved }) => moved < 0,
  better: ({ moved }) => moved > 0,
};

function find() {
  const words = view.query.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length)
    while (searched.length < page.rows.length) searched.push(searchedText(searched.length));
  found = page.rows.map((_, row) => row).filter((row) => {
    const one = page.rows[row];
    return states[view.state](one) && (!view.check || one.checks.includes(view.check)) &&
      (!view.system || one.system === view.system) &&
      words.every((word) => searched[row].includes(word));
  });
  if (!view.sort) return;
  const { of } = columns().find(({ key }) => key === view.sort.key);
  const sign = view.sort.descending ? -1 : 1;
  const keys = new Map(found.map((row) => [row, of(page.rows[row])]));
  found.sort((a, b) => {
    const [x, y] = [keys.get(a), keys.get(b)];
    if (x == null || y == null) return (x == null) - (y == null);
    return x < y ? -sign : x > y ? sign : 0;
  });
}

const breakable = (name) => name.split(/(?<=[._])/).map((part) => [part, el("wbr")]);
const head = el("tr"), body = el("tbody"), count = el("p", { role: "status" }), pager = el("div");

function drawRow(row) {
  const one = page.rows[row];
  const cells = {
    case: el("th", { scope: "row" },
      el("button", { type: "button", class: "opens", "aria-expanded": `${open.has(row)}`,
        "aria-controls": `detail-${row}`, onclick: () => toggle(row) },
      el("bdi", { class: "title" }, one.title), el("bdi", { class: "id" }, one.id))),
    system: el("td", { class: "wide" }, el("bdi", {}, one.system)),
    state: el("td", {}, badge(one.state)),
    findings: el("td", { class: "number wraps" },
      one.errors > 0 && el("span", {}, counted(one.errors, "error")),
      one.errors > 0 && one.warnings > 0 && ", ",
      one.warnings > 0 && el("span", {}, counted(one.warnings, "warning")),
      one.errors + one.warnings === 0 && "–"),
    moved: number(one.moved ? signed(one.moved) : "–"),
    score: number(figure(one.scores[view.score])),
    change: number(one.moves[view.score] ? signed(one.moves[view.score]) : "–"),
  };
  for (const key of ["moved", "change"]) cells[key].classList.add("wide");
  return el("tr", { id: `case-${row}` }, columns().map(({ key }) => cells[key]));
}

const drawDetail = (row) =>
  el("tr", { id: `detail-${row}`, class: "detail" },
    el("td", { colspan: columns().length }, drawCase(row)));

function drawHeading({ key, label, numeric, wide }) {
  const order = view.sort?.key === key && (view.sort.descending ? "descending" : "ascending");
  const sort = el("button", { type: "button", onclick: () => sortBy(key, Boolean(numeric)) },
    breakable(label));
  return heading(sort, {
    class: [numeric && "number", wide && "wide"].filter(Boolean).join(" "),
    "aria-sort": order,
  });
}

function drawPager(from, to) {
  const turn = (label, to, there) =>
    el("button", { type: "button", disabled: !there, onclick: () => turnTo(to) }, label);
  return [
    turn("Previous", from - SHOWN, from > 0),
    el("span", {}, `${[from + 1, to].map(whole.format).join("–")} of ${whole.format(found.length)}`),
    turn("Next", to, to < found.length),
  ];
}

function draw() {
  const rows = found.slice(view.from, view.from + SHOWN);
  const all = counted(page.rows.length, page.systems.length > 1 ? "row" : "case");
  const some = found.length < page.rows.length;
  count.textContent = some ? `${whole.format(found.length)} of ${all}` : all;
  head.replaceChildren(...columns().map(drawHeading));
  body.replaceChildren(...rows.flatMap((row) =>
    open.has(row) ? [drawRow(row), drawDetail(row)] : [drawRow(row)]));
  pager.replaceChildren(
    ...(found.length > SHOWN ? drawPager(view.from, view.from + rows.length) : []));
}

function update(change) {
  Object.assign(view, { from: 0 }, change);
  find();
  draw();
}

function turnTo(from) {
  view.from = from;
  draw();
  document.getElementById("cases").scrollIntoView();
  document.querySelector("#cases .scrolls").focus({ preventScroll: true });
}

// First the way that is looked for most (large figures, early letters), then the other, then none.
function sortBy(key, descending) {
  const { sort } = view;
  if (sort?.key !== key) update({ sort: { key, descending } });
  else update({ sort: sort.descending === descending ? { key, descending: !descending } : null });
  head.children[columns().findIndex((column) => column.key === key)].firstChild.focus();
}

function toggle(row) {
  const line = document.getElementById(`case-${row}`);
  if (open.delete(row)) document.getElementById(`detail-${row}`).remove();
  else {
    open.add(row);
    line.after(drawDetail(row));
  }
  line.querySelector("button").setAttribute("aria-expanded", `${open.has(row)}`);
}

// A link to a case shows it, whatever was filtered, and opens it.
function follow() {
  const row = Number(/^#case-(\d+)$/.exec(location.hash)?.[1] ?? NaN);
  if (!(row in page.rows)) return;
  if (!found.includes(row)) clear();
  view.from = Math.floor(found.indexOf(row) / SHOWN) * SHOWN;
  open.add(row);
  draw();
  const line = document.getElementById(`case-${row}`);
  line.scrollIntoView();
  line.querySelector("button").focus({ preventScroll: true });
}

const search = el("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false",
  oninput: () => update({ query: search.value }) });
const choice = (id, label, options) => el("label", {}, label,
  el("select", { id, onchange: ({ target }) => update({ [id]: target.value }) },
    options.map(([value, words]) => el("option", { value }, words))));

function clear() {
  search.value = "";
  for (const select of document.querySelectorAll("#state, #check, #system")) select.value = "";
  update({ query: "", state: "", check: "", system: "" });
}

function drawCases() {
  const checks = new Map();
  for (const row of page.rows)
    for (const check of row.checks) checks.set(check, (checks.get(check) ?? 0) + 1);
  const outcomes = [["", "any"], ["failed", "failed"],
    ...(page.verdict ? [["blamed", "makes a gate fail"]] : []),
    ["passed", "passed"], ["findings", "with findings"],
    ...(compared ? [["worse", "worse than before"], ["better", "better than before"]] : [])];
  return section("cases", "Cases",
    el("div", { class: "filters", role: "search", "aria-label": "Cases" },
      el("label", { class: "grows" }, "Search", search), choice("state", "Outcome", outcomes),
      checks.size > 0 && choice("check", "Findings of", [["", "any check"],
        ...[...checks].sort().map(([name, rows]) => [name, `${name} (${whole.format(rows)})`])]),
      page.systems.length > 1 && choice("system", "System",
        [["", "all"], ...page.systems.map((name) => [name, name])]),
      scoreNames.length > 1 &&
        choice("score", "Score shown", scoreNames.map((name) => [name, name])),
      el("button", { type: "button", onclick: clear }, "Clear")),
    count,
    el("div", { class: "scrolls", tabindex: 0, role: "group", "aria-label": "Cases" },
      el("table", { class: "cases" }, el("thead", {}, head), body)),
    page.rows.some(({ state }) => state === "blamed") && el("p", { class: "soft" },
      "Blamed: the answer is well in itself, but what it scored makes a gate fail."),
    compared && el("p", { class: "soft" }, "Moved: how far a case moved for the better over all ",
      "scores, each in units of how far cases move in it (root mean square)."),
    el("nav", { class: "pager", "aria-label": "Pages of cases" }, pager));
}

// --- the page ----------------------------------------------------------------------------------

function drawPage() {
  const { set, signature, started, cases, repeats, missing, systems, verdict } = page;
  const scores = page.scores.length > 0 && drawScores(page.scores);
  const sections = [
    page.comparison && drawComparison(page.comparison), verdict && drawVerdict(verdict),
    !page.comparison && scores, drawCases(),
    page.changed_prompts.length + Object.keys(page.prompts).length > 0 &&
      drawPrompts(page.changed_prompts, page.prompts),
    page.comparison && scores, drawCosts(page.costs),
  ].filter(Boolean);
  const facts = [counted(cases, "case"), counted(systems.length, "system"),
    repeats > 1 && `${repeats} answers each`,
    missing > 0 && `${whole.format(missing)} not asked yet`, started];
  return [
    el("header", {},
      el("h1", {}, el("bdi", {}, set), " ", verdict &&
        el("a", { href: "#gates" }, badge(verdict.passed ? "passed" : "failed"))),
      el("p", { class: "soft" }, facts.filter(Boolean).join(" · ")),
      el("p", { class: "signature" }, el("bdi", {}, signature)),
      el("nav", { "aria-label": "Sections" },
        sections.map(({ id, firstChild }) => el("a", { href: `#${id}` }, firstChild.textContent)))),
    el("main", {}, sections),
  ];
}

document.body.append(...drawPage());
update({});
follow();
addEventListener("hashchange", follow);
idle(prepare);
