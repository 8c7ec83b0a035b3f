/** The coordinators' page about interpreters: register, duty plan, and what happened in the last 30 days. */

import { Failure, post } from "./api.ts";
import { boot } from "./boot.ts";
import { all, bdi, byId, fill, first, h, icon, redraw, say, show } from "./dom.ts";
import { t } from "./i18n.ts";
import { languageName } from "./names.ts";
import type { SignalKind } from "./protocol.gen.ts";
import { signalName } from "./room/interpreting-words.ts";
import { type StaffBoot, startFrame } from "./staff.ts";
import { clock, instant, weekday } from "./times.ts";

interface Line {
  readonly user: string;
  readonly name: string;
  readonly number: string;
  readonly agency: string;
  readonly pairs: readonly (readonly [string, string])[];
  readonly vetted: boolean;
  readonly qualification: string;
  readonly gender: string | null;
  readonly camera: boolean;
  readonly availability: "available" | "on_break" | "away";
  readonly excluded: readonly string[];
}
interface Named {
  readonly id: string;
  readonly name: string;
}
interface Shift {
  readonly shift: string;
  readonly user: string;
  readonly starts_at: string;
  readonly ends_at: string;
}
interface Count {
  readonly language: string;
  readonly searches: number;
  readonly connected: number;
  readonly abandoned: number;
  readonly by_phone: number;
  readonly rings: number;
  readonly minutes: number;
  readonly p50_s: number | null;
  readonly p90_s: number | null;
  readonly stars: number | null;
}
interface Overview {
  readonly register: readonly Line[];
  readonly interpreters: readonly Named[];
  readonly physicians: readonly Named[];
  readonly shifts: readonly Shift[];
  readonly counts: {
    readonly languages: readonly Count[];
    readonly signals: Readonly<Record<string, number>>;
  };
}

const AGAIN_MS = 30_000;
const HOME = "en";

const { clinic } = boot<StaffBoot>();
const zone = clinic.zone.id;
const dialog = byId<HTMLDialogElement>("dialog-line");
const form = byId<HTMLFormElement>("line");
const shiftForm = byId<HTMLFormElement>("shift");
let known: Overview | null = null;

function words(error: unknown): string {
  const code = error instanceof Failure ? error.code : "internal";
  if (code === "used") return t("Another interpreter has this number.");
  if (code === "bad_request") return t("Something is missing or not written as it should be.");
  if (code === "sign_in_needed") return t("Please sign in again.");
  if (code === "offline" || code === "timeout") return t("There is no connection. Please try again.");
  return t("This did not work. Please try again.");
}

async function load(): Promise<void> {
  try {
    known = await post<Overview>("/api/interpreters", { days: 30 });
    say(byId("problem"), "");
    draw(known);
  } catch (error) {
    say(byId("problem"), words(error));
  }
}

function draw(seen: Overview): void {
  const unlisted = seen.interpreters.filter((one) => !seen.register.some((line) => line.user === one.id));
  redraw(byId("register"), register(seen), ...unlisted.map(invite));
  redraw(byId("duty"), ...duty(seen));
  redraw(byId("counts"), ...counts(seen));
  const select = byId<HTMLSelectElement>("shift-user");
  const chosen = select.value;
  fill(select, ...seen.register.map((one) => h("option", { value: one.user }, one.name)));
  if (chosen) select.value = chosen;
}

const STATES: Readonly<Record<Line["availability"], () => string>> = {
  available: () => t("Available"),
  on_break: () => t("Break"),
  away: () => t("Away"),
};

function register(seen: Overview): HTMLElement {
  if (seen.register.length === 0) return h("p", { class: "dim" }, t("Nobody is on the register yet."));
  const row = (line: Line): HTMLElement =>
    h(
      "tr",
      { "data-line": line.user },
      h("th", { scope: "row" }, bdi(line.name)),
      h("td", { class: "num" }, bdi(line.number)),
      h(
        "td",
        {},
        languagesOf(line)
          .map((tag) => languageName(tag))
          .join(", "),
      ),
      h("td", {}, line.agency ? bdi(line.agency) : t("Of the house")),
      h("td", {}, fit(line)),
      h("td", {}, STATES[line.availability]()),
      h(
        "td",
        {},
        button("edit", t("Change"), line.user, line.name, () => edit(line, line.user)),
      ),
    );
  const head = [
    t("Name"),
    t("Number"),
    t("Languages"),
    t("Agency"),
    t("May be called"),
    t("State"),
    t("Entry"),
  ];
  return h(
    "table",
    { class: "table" },
    h("thead", {}, h("tr", {}, ...head.map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, ...seen.register.map(row)),
  );
}

function fit(line: Line): HTMLElement {
  const missing = [
    !line.vetted && t("not vetted"),
    !line.qualification && t("no qualification"),
    line.pairs.length === 0 && t("no language"),
  ].filter(Boolean);
  const good = missing.length === 0;
  return h(
    "span",
    { class: `tag ${good ? "good" : "warn"}` },
    icon(good ? "check" : "warn"),
    good ? t("Yes") : missing.join(", "),
  );
}

/** Languages interpreted in both directions with English. */
function languagesOf(line: Line): string[] {
  return line.pairs.filter(([, into]) => into === HOME).map(([from]) => from);
}

function invite(one: Named): HTMLElement {
  return h(
    "p",
    { class: "row wrap" },
    h("span", { class: "grow" }, t("{name} is not on the register.", { name: one.name })),
    button("add", t("Add"), one.id, one.name, () => edit(null, one.id)),
  );
}

function button(name: string, label: string, key: string, who: string, onclick: () => void): HTMLElement {
  return h(
    "button",
    {
      type: "button",
      class: "btn btn-s",
      "data-do": name,
      "data-key": `${name}-${key}`,
      "aria-label": `${label}: ${who}`,
      onclick,
    },
    label,
  );
}

function duty(seen: Overview): HTMLElement[] {
  if (seen.shifts.length === 0) return [h("li", { class: "dim" }, t("Nobody is planned yet."))];
  const now = Date.now();
  return seen.shifts.map((shift) => {
    const [from, to] = [new Date(shift.starts_at), new Date(shift.ends_at)];
    const name = seen.register.find((one) => one.user === shift.user)?.name ?? "";
    const on = from.getTime() <= now && now < to.getTime();
    return h(
      "li",
      { class: "row wrap", "data-shift": shift.shift },
      h("b", { class: "grow" }, bdi(name)),
      on && h("span", { class: "tag good" }, t("on duty")),
      h("span", { class: "num" }, `${weekday(from, zone)} ${clock(from, zone)} – ${clock(to, zone)}`),
      button("remove", t("Take out"), shift.shift, name, () => void unshift(shift)),
    );
  });
}

async function unshift(shift: Shift): Promise<void> {
  try {
    await post("/api/interpreters/unshift", { shift: shift.shift });
    await load();
  } catch (error) {
    say(byId("problem"), words(error));
  }
}

function counts(seen: Overview): HTMLElement[] {
  const { languages, signals } = seen.counts;
  if (languages.length === 0) return [h("p", { class: "dim" }, t("No interpreter was called in this time."))];
  const most = Math.max(...languages.map((one) => one.searches), 1);
  const longest = Math.max(...languages.map((one) => one.p90_s ?? 0), 1);
  const row = (one: Count): HTMLElement =>
    h(
      "tr",
      { "data-language": one.language },
      h("th", { scope: "row" }, languageName(one.language)),
      h("td", {}, bar(one.searches / most, String(one.searches))),
      h("td", { class: "num" }, percent(one.abandoned, one.searches)),
      h("td", {}, bar((one.p50_s ?? 0) / longest, seconds(one.p50_s), "good")),
      h("td", {}, bar((one.p90_s ?? 0) / longest, seconds(one.p90_s), "warn")),
      h("td", { class: "num" }, String(one.rings)),
      h("td", { class: "num" }, String(one.by_phone)),
      h("td", { class: "num" }, one.minutes.toFixed(1)),
      h("td", { class: "num" }, one.stars === null ? "–" : one.stars.toFixed(1)),
    );
  const head = [
    t("Language"),
    t("Requests"),
    t("Given up"),
    t("Half are here within"),
    t("Nine of ten within"),
    t("Desks rung"),
    t("By telephone"),
    t("Minutes"),
    t("Stars of five"),
  ];
  const taps = Object.entries(signals).map(([kind, n]) => `${signalName(kind as SignalKind)}: ${n}`);
  return [
    h(
      "div",
      { class: "scroll-x" },
      h(
        "table",
        { class: "table" },
        h("thead", {}, h("tr", {}, ...head.map((one) => h("th", { scope: "col" }, one)))),
        h("tbody", {}, ...languages.map(row)),
      ),
    ),
    h("p", { class: "small dim" }, taps.length > 0 ? t("Signals: {list}", { list: taps.join(" · ") }) : ""),
  ];
}

/** A bar beside its number: the picture for the eye, the number for everybody. */
function bar(share: number, label: string, tone = "act"): HTMLElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 10");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", `bar flip ${tone}`);
  svg.setAttribute("aria-hidden", "true");
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  rect.setAttribute("width", String(Math.max(1, Math.round(share * 100))));
  rect.setAttribute("height", "10");
  svg.append(rect);
  return h("span", { class: "row g1" }, svg, h("span", { class: "num" }, label));
}

function seconds(value: number | null): string {
  return value === null ? "–" : t("{n} s", { n: Math.round(value) });
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${Math.round((100 * part) / whole)} %`;
}

function edit(line: Line | null, user: string): void {
  if (!known) return;
  const named = known.interpreters.find((one) => one.id === user) ?? { id: user, name: line?.name ?? "" };
  say(byId("line-title"), named.name);
  fill(byId("line-user"), h("option", { value: user }, named.name));
  const set = (id: string, value: string): void => {
    byId<HTMLInputElement | HTMLSelectElement>(id).value = value;
  };
  set("line-number", line?.number ?? "");
  set("line-agency", line?.agency ?? "");
  set("line-qualification", line?.qualification ?? "");
  set("line-gender", line?.gender ?? "");
  const chosen = new Set(line ? languagesOf(line) : []);
  for (const box of all<HTMLInputElement>("[name=language]", form)) box.checked = chosen.has(box.value);
  const excluded = new Set(line?.excluded ?? []);
  fill(
    byId("line-excluded"),
    ...known.physicians.map((one) =>
      h(
        "label",
        { class: "row g1" },
        h("input", { type: "checkbox", name: "excluded", value: one.id, checked: excluded.has(one.id) }),
        " ",
        one.name,
      ),
    ),
  );
  first<HTMLInputElement>("[name=vetted]", form).checked = line?.vetted ?? false;
  first<HTMLInputElement>("[name=camera]", form).checked = line?.camera ?? true;
  show(first("[data-part=error]", form), false);
  dialog.showModal();
  byId("line-number").focus();
}

function checked(name: string): string[] {
  return all<HTMLInputElement>(`[name=${name}]:checked`, form).map((box) => box.value);
}

async function save(): Promise<void> {
  const value = (id: string): string => byId<HTMLInputElement | HTMLSelectElement>(id).value.trim();
  const pairs = checked("language").flatMap((tag) => [
    [tag, HOME],
    [HOME, tag],
  ]);
  try {
    await post("/api/interpreters/save", {
      user: value("line-user"),
      number: value("line-number"),
      agency: value("line-agency"),
      pairs,
      vetted: checked("vetted").length > 0,
      qualification: value("line-qualification"),
      gender: value("line-gender") || null,
      camera: checked("camera").length > 0,
      excluded: checked("excluded"),
    });
    dialog.close();
    await load();
  } catch (error) {
    const place = first("[data-part=error]", form);
    say(place, words(error));
    show(place, true);
  }
}

/** A shift that ends before it begins goes into the next day. */
async function addShift(): Promise<void> {
  const value = (id: string): string => byId<HTMLInputElement | HTMLSelectElement>(id).value;
  const from = instant(value("shift-day"), value("shift-from"), zone);
  const to = instant(value("shift-day"), value("shift-to"), zone);
  if (!from || !to || !value("shift-user")) {
    say(byId("problem"), t("Something is missing or not written as it should be."));
    return;
  }
  if (to <= from) to.setTime(to.getTime() + 24 * 3600_000);
  try {
    const body = { user: value("shift-user"), starts_at: from.toISOString(), ends_at: to.toISOString() };
    await post("/api/interpreters/shift", body);
    await load();
    say(byId("problem"), "");
  } catch (error) {
    say(byId("problem"), words(error));
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void save();
});
shiftForm.addEventListener("submit", (event) => {
  event.preventDefault();
  void addShift();
});
for (const one of all("[data-close]", dialog)) one.addEventListener("click", () => dialog.close());

startFrame(clinic.zone);
void load();
setInterval(() => {
  if (!dialog.open && !shiftForm.contains(document.activeElement)) void load();
}, AGAIN_MS);
