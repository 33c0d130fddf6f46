"use strict";

// Strings become text nodes and attribute values, never markup: no string here is parsed as HTML.
function add(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return made;
}
const el = (name, attributes = {}, ...children) =>
  add(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) =>
  add(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

const page = JSON.parse(document.getElementById("page").textContent);
// What a case opens to stands on a line of its own and is parsed when it is asked for.
const linesOf = (id) => document.getElementById(id).textContent.split("\n");
const texts = linesOf("texts"), changes = linesOf("changes");

// --- words and figures -------------------------------------------------------------------------

const digits = new Intl.NumberFormat("en", { maximumFractionDigits: 12 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

// Four significant digits at most, as everywhere else in this program.
function figure(value, significant = 4) {
  if (value == null) return "–";
  const told = Math.abs(value) < 10000
    ? digits.format(+value.toPrecision(significant)) : whole.format(value);
  return told.replace("-", "−");
}
const signed = (value) => (value > 0 ? "+" : "") + figure(value);
const between = (span) => (span ? span.map((end) => figure(end, 3)).join(" to ") : "–");
const counted = (count, one) => `${whole.format(count)} ${count === 1 ? one : `${one}s`}`;
const probability = (p) => (p == null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3));

const hidden = (text) => el("span", { class: "hidden" }, text);
const better = (score) =>
  score.better && [
    el("span", { class: "soft", "aria-hidden": "true" },
      score.better === "higher" ? " ↑" : " ↓"),
    hidden(`, ${score.better} is better`),
  ];
const badge = (text, kind = text) => el("span", { class: `badge ${kind.replace(" ", "-")}` }, text);
const number = (...children) => el("td", { class: "number" }, children);
const wide = (...children) => el("td", { class: "number wide" }, children); // not on a phone
const heading = (text, attributes = {}) => el("th", { scope: "col", ...attributes }, text);

// A table may be wider than a phone; it then scrolls for itself, by keyboard too.
const table = (label, head, body) =>
  el("div", { class: "scrolls", tabindex: 0, role: "group", "aria-label": label },
    el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));

const section = (id, title, ...children) =>
  el("section", { id, "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title` }, title), children);

// --- the whole run -----------------------------------------------------------------------------

// The same link again says nothing to the browser, so it is told to.
const linkTo = (row) => ({
  href: `#case-${row}`,
  onclick: () => location.hash === `#case-${row}` && follow(),
});

function drawVerdict({ failures, notes }) {
  const drawn = failures.map(({ sentence, system, culprits, count }) => {
    const told = [el("strong", {}, sentence),
      system && page.systems.length > 1 && [" ", el("bdi", { class: "soft" }, system)]];
    const list = culprits.map(({ place, reason, row }) =>
      el("li", {},
        row == null ? el("bdi", {}, place) : el("a", linkTo(row), el("bdi", {}, place)),
        " ", el("bdi", {}, reason)));
    const left = count - list.length;
    const more = left > 0 && el("li", {}, `and ${whole.format(left)} more`);
    return el("li", {}, !count ? told :
      el("details", { open: count <= 5 },
        el("summary", {}, told, " ", el("span", { class: "soft" }, counted(count, "place"))),
        el("ul", {}, list, more)));
  });
  return section("gates", "Gates",
    drawn.length ? el("ul", { class: "failures" }, drawn) : el("p", {}, "All gates passed."),
    notes.map((note) => el("p", { class: "soft" }, el("bdi", {}, note))));
}

const WIDTH = 144, HEIGHT = 16, EDGE = 4;
const chart = (label, ...shapes) =>
  svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img",
    "aria-label": label }, shapes);
const line = (kind, x1, x2, y1 = HEIGHT / 2, y2 = y1) =>
  svg("line", { class: kind, x1, x2, y1, y2 });
const dot = (kind, cx) => svg("circle", { class: kind, cx, cy: HEIGHT / 2, r: 3.5 });

// In standard deviations of the cases' differences, better to the right, so that one axis serves
// all scores. Where every case moved alike there is none, and the end of the axis stands for it.
const FARTHEST = 6;
function inSpreads({ spread, better }, value) {
  const size = value ? value / spread : 0;
  return Math.max(-FARTHEST, Math.min(FARTHEST, better === "lower" ? -size : size));
}

function drawDifference(score, reach) {
  const x = (value) => WIDTH / 2 + (inSpreads(score, value) / reach) * (WIDTH / 2 - EDGE);
  const kind = (score.outcome ?? "informs").replace(" ", "-");
  return chart(`difference ${signed(score.difference)}, 95 % interval ${between(score.interval)}`,
    line("axis", WIDTH / 2, WIDTH / 2, 0, HEIGHT),
    score.interval && line(`interval ${kind}`, ...score.interval.map(x)),
    score.spread != null && dot(kind, x(score.difference)));
}

function drawCompared({ before, now, says, scores }) {
  const order = ["worse", "better", "no evidence", null];
  const changed = scores.filter(({ p }) => p != null)
    .sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  const same = scores.filter(({ p, cases }) => p == null && cases > 0);
  const reach = Math.max(0.5, ...changed.filter(({ spread }) => spread != null).flatMap((score) =>
    [score.difference, ...(score.interval ?? [])].map((end) => Math.abs(inSpreads(score, end)))));
  // What may well be chance would hide what is not.
  const real = changed.some(({ outcome }) => outcome === "worse" || outcome === "better");
  const [shown, unclear] = real
    ? [false, true].map((so) => changed.filter(({ outcome }) => (outcome === "no evidence") === so))
    : [changed, []];
  const row = (score) =>
    el("tr", { class: (score.outcome ?? "").replace(" ", "-") },
      el("th", { scope: "row" }, score.name, better(score),
        el("span", { class: "narrow soft" },
          `${figure(score.mean_a)} → ${figure(score.mean_b)}, ${score.says}`)),
      wide(figure(score.mean_a)), wide(figure(score.mean_b)),
      number(el("strong", {}, signed(score.difference))),
      el("td", {}, drawDifference(score, reach)), number(between(score.interval)),
      number(probability(score.p_holm)),
      number(`${score.wins} / ${score.losses} / ${score.ties}`),
      el("td", { class: "says wide" }, score.says));
  const head = () => [
    heading("Score"), ...["Before", "Now"].map((t) => heading(t, { class: "number wide" })),
    heading("Difference", { class: "number" }),
    heading("worse · better", { class: "middle" }), heading("95 % interval", { class: "number" }),
    heading("p", { class: "number", title: "after Holm's correction over all scores" }),
    heading("Won / lost / tied", { class: "number" }), heading("In words", { class: "wide" }),
  ];
  return [
    el("h3", {}, el("bdi", {}, before === now ? now : before),
      before !== now && [" → ", el("bdi", {}, now)]),
    el("p", { class: "lead" }, `${says[0].toUpperCase()}${says.slice(1)}.`),
    shown.length > 0 && table(`Scores of ${now}, before and now`, head(), shown.map(row)),
    unclear.length > 0 && el("details", {},
      el("summary", {}, "No evidence of a difference: ", counted(unclear.length, "score")),
      table(`Other scores of ${now}, before and now`, head(), unclear.map(row))),
    same.length > 0 && el("p", { class: "soft" },
      el("span", {}, changed.length ? "The same in every case: " : "All scores are the same: "),
      same.map(({ name, mean_b }) => `${name} ${figure(mean_b)}`).join(", ")),
    drawMoved(now),
  ];
}

// The cases that moved most, each with the findings that came and went and the points that changed.
const MOVED = 5;
function drawMoved(system) {
  const far = (row) => (page.rows[row].system === system ? Math.abs(page.rows[row].moved) : 0);
  const rows = [...page.rows.keys()].filter(far).sort((a, b) => far(b) - far(a));
  return rows.length > 0 && [
    el("h4", {}, "Cases that moved most"),
    rows.slice(0, MOVED).map((row) => {
      const { id, title, moved } = page.rows[row];
      const { now } = JSON.parse(texts[row]);
      const { before, diff } = JSON.parse(changes[row]);
      const tagged = [...now, before].flatMap(({ steps }) => steps)
        .flatMap(({ findings }) => findings).filter(({ tag }) => tag);
      return el("div", { class: "moved" },
        el("p", {}, badge(moved < 0 ? "worse" : "better"), " ",
          el("a", linkTo(row), el("bdi", {}, title)), " ", el("bdi", { class: "id" }, id)),
        drawFindings(tagged), diff.length ? drawDiff(diff, true)
          : el("p", { class: "soft" }, "The text is the same."));
    }),
    rows.length > MOVED && el("p", { class: "soft" },
      `${counted(rows.length - MOVED, "other case")} moved; the table of cases has them all.`),
  ];
}

const drawComparison = ({ systems, before, left_out }) =>
  section("comparison", "Comparison", systems.map(drawCompared),
    el("p", { class: "soft" },
      "Cases are the units; p is of a paired test, after Holm's correction. Lines show the 95 % ",
      "interval in standard deviations of the cases' differences."),
    left_out.map((sentence) =>
      el("p", { class: "soft" }, "Not compared, ", el("bdi", {}, sentence))),
    el("p", { class: "signature" }, "before: ", el("bdi", {}, before)));

function drawMean({ mean, interval, low, high }, from, to) {
  const x = (value) => EDGE + ((value - from) / (to - from)) * (WIDTH - 2 * EDGE);
  return chart(
    `mean ${figure(mean)}, 95 % interval ${between(interval)}, cases from ${between([low, high])}`,
    line("axis", x(low), x(high)), interval && line("interval informs", ...interval.map(x)),
    dot("informs", x(mean)));
}

function drawScores(scores) {
  const constant = ({ systems }) =>
    systems.every(({ low, high }) => low === systems[0].low && high === systems[0].low);
  const varied = scores.filter((score) => !constant(score));
  const several = page.systems.length > 1;
  const rows = varied.flatMap((score) => {
    const from = Math.min(...score.systems.map(({ low }) => low));
    const to = Math.max(...score.systems.map(({ high }) => high));
    const name = el("th", { scope: "row", rowspan: score.systems.length },
      score.name, better(score));
    return score.systems.map((of, at) => el("tr", {}, at === 0 && name,
      several && el("td", {}, el("bdi", {}, of.system)),
      number(el("strong", {}, figure(of.mean))), el("td", {}, drawMean(of, from, to)),
      number(between(of.interval)), number(between([of.low, of.high])),
      number(whole.format(of.cases))));
  });
  const numbers = (...names) => names.map((name) => heading(name, { class: "number" }));
  const head = [heading("Score"), several && heading("System"), numbers("Mean"),
    heading("Mean among the cases", { class: "middle" }),
    numbers("95 % interval", "Cases range", "Cases")];
  const same = scores.filter((score) => score.systems.length && constant(score));
  return section("scores", "Scores",
    rows.length > 0 && table("Scores", head, rows),
    same.length > 0 && el("p", { class: "soft" }, "The same in every case: ",
      same.map(({ name, systems }) => `${name} ${figure(systems[0].mean)}`).join(", ")));
}

function drawPrompts(changed, prompts) {
  const kinds = { "+": "added", "-": "removed", "@": "place" };
  const names = { "+": "ins", "-": "del" };
  return section("prompts", "Prompts",
    changed.map(({ before, now, lines }) => [
      el("h3", {}, el("bdi", {}, before), before !== now && [" → ", el("bdi", {}, now)]),
      lines
        ? el("pre", { class: "lines" }, lines.map((line) =>
            el(names[line[0]] ?? "span", { class: kinds[line[0]] }, `${line}\n`)))
        : el("p", { class: "soft" }, "It changed; the text of before or of now is not at hand."),
    ]),
    Object.entries(prompts).map(([name, text]) =>
      el("details", {},
        el("summary", {}, "The text of ", el("bdi", {}, name)), el("pre", {}, text))));
}

function drawCosts(costs) {
  const kinds = ["prompt", "cached", "completion", "reasoning"];
  const rows = costs.map(({ system, cases, answers, tokens, dollars }) => el("tr", {},
    el("th", { scope: "row" }, el("bdi", {}, system)), number(whole.format(answers)),
    kinds.map((kind) => number(tokens ? whole.format(tokens[kind]) : "–")),
    number(dollars == null ? "not known" : `$${figure(dollars)}`),
    number(dollars == null ? "–" : `$${figure(dollars / cases)}`)));
  const numbers = ["Answers", "Prompt tokens", "of them cached", "Completion tokens",
    "of them reasoning", "List price", "a case"];
  return section("costs", "Costs", table("Costs",
    [heading("System"), numbers.map((name) => heading(name, { class: "number" }))], rows));
}
