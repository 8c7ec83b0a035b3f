/** The coordinator's new consult: both clocks while choosing, links to hand out afterwards. */

import { faultWords } from "./board-dialogs.ts";
import { boot } from "./boot.ts";
import { byId, fill, h, icon, show } from "./dom.ts";
import { t } from "./i18n.ts";
import { invitationList } from "./invitation-links.ts";
import { type Choice, type Fields, faultIn, labelsFor, scheduleMessage } from "./newconsult-form.ts";
import type { Accepted } from "./protocol.gen.ts";
import { commandId } from "./socket.ts";
import { followBoard, type StaffBoot, startFrame } from "./staff.ts";
import { clocksDiffer, instant, type LocalTime, localTime, type Zone } from "./times.ts";

interface Country {
  readonly code: string;
  readonly name: string;
  readonly zones: readonly Zone[];
}

interface NewConsultBoot extends StaffBoot {
  readonly countries: readonly Country[];
}

const LATEST_CHOICE = 60_000;

const { clinic, countries } = boot<NewConsultBoot>();
const form = byId<HTMLFormElement>("form");
const zoneSelect = byId<HTMLSelectElement>("zone");
const countrySelect = byId<HTMLSelectElement>("country");
const city = byId<HTMLInputElement>("city");
const interpreter = byId<HTMLSelectElement>("interpreter");
const clocks = byId("clocks");
const problem = byId("problem");

function value(id: string): string {
  return byId<HTMLInputElement | HTMLSelectElement>(id).value.trim();
}

function chosen(select: HTMLSelectElement): Choice {
  return { value: select.value, label: select.selectedOptions[0]?.textContent ?? "" };
}

function fields(): Fields {
  return {
    patientName: value("patient-name"),
    birthYear: value("birth-year"),
    language: value("language"),
    country: countrySelect.value,
    city: city.value.trim(),
    zone: zoneSelect.value,
    startsAt: instant(value("day"), value("time"), clinic.zone.id),
    minutes: Number(value("minutes")),
    physician: chosen(byId<HTMLSelectElement>("physician")),
    interpreter: chosen(interpreter),
    interpreterName: value("interpreter-name"),
    companionName: value("companion-name"),
  };
}

function offerZones(): void {
  const zones = countries.find((country) => country.code === countrySelect.value)?.zones ?? [];
  const options = zones.map((zone) => h("option", { value: zone.id }, zone.city));
  if (zones.length !== 1)
    options.unshift(
      h("option", { value: "" }, zones.length === 0 ? t("Choose the country first") : t("Choose …")),
    );
  fill(zoneSelect, ...options);
  // A country with one zone is usually named by its capital; it can be changed.
  if (zones.length === 1 && zones[0]) city.value = zones[0].city;
}

function takeCity(): void {
  const found = chosen(zoneSelect);
  if (found.value) city.value = found.label;
}

/** What the patient will read, where nobody who knows the language has read it. */
function noteLanguage(): void {
  const pages = byId<HTMLSelectElement>("language").selectedOptions[0]?.dataset.pages;
  const words: Readonly<Record<string, string>> = {
    machine: t("The pages in this language were translated by a machine. Nobody has reviewed them yet."),
    none: t("There are no pages in this language yet. This person reads English."),
  };
  byId("language-note").textContent = words[pages ?? ""] ?? "";
}

/** Interpreters of the patient's language first; the others stay, for rarer dialects. */
function orderInterpreters(): void {
  const language = value("language").split("-")[0] ?? "";
  const speaks = (option: HTMLOptionElement): boolean =>
    (option.dataset.languages ?? "").split(" ").some((tag) => tag.split("-")[0] === language);
  const people = [...interpreter.options].filter((option) => option.dataset.languages !== undefined);
  people.sort((one, other) => Number(speaks(other)) - Number(speaks(one)));
  interpreter.append(...people);
}

function showClocks(): void {
  const { startsAt, zone } = fields();
  if (!startsAt || Number.isNaN(startsAt.getTime())) {
    fill(clocks, h("p", { class: "dim" }, t("Choose date and time to see both clocks.")));
    return;
  }
  const past = startsAt.getTime() < Date.now() - LATEST_CHOICE;
  const there: Zone = { id: zone, city: city.value.trim() || chosen(zoneSelect).label };
  fill(
    clocks,
    one(t("Physician, {city}", { city: clinic.zone.city }), localTime(startsAt, clinic.zone)),
    zone ? one(t("Patient, {city}", { city: there.city }), localTime(startsAt, there)) : null,
    zone && clocksDiffer(startsAt, zone, clinic.zone.id)
      ? warnings(localTime(startsAt, clinic.zone), localTime(startsAt, there))
      : null,
    past
      ? h("p", { class: "note note-warn" }, icon("warn"), h("span", {}, t("This time is in the past.")))
      : null,
  );
}

function one(label: string, time: LocalTime): HTMLElement {
  return h(
    "div",
    {},
    h("span", { class: "dim" }, label),
    h("b", { class: "big-s num" }, time.clock),
    h("span", {}, time.date),
  );
}

function warnings(here: LocalTime, there: LocalTime): HTMLElement | null {
  if (here.weekday === there.weekday) return null;
  return h(
    "p",
    { class: "note" },
    icon("info"),
    h("span", {}, t("It is another day there: {weekday}.", { weekday: there.weekday })),
  );
}

async function book(): Promise<void> {
  const filled = fields();
  const fault = faultIn(filled);
  if (fault) {
    complain(fault.words);
    const input = byId(fault.field);
    input.setAttribute("aria-invalid", "true");
    input.focus();
    return;
  }
  const button = form.querySelector("button");
  if (button) button.disabled = true;
  try {
    const ack = await channel.send<Accepted>({
      type: "schedule",
      command_id: commandId(),
      ...scheduleMessage(filled),
    });
    showResult(ack, filled);
  } catch (error) {
    if (button) button.disabled = false;
    complain(faultWords(error));
  }
}

function complain(words: string): void {
  fill(problem, h("p", { class: "note note-warn" }, icon("warn"), h("span", {}, words)));
}

/** The links are shown once; who takes part by a staff account needs none. */
function showResult(ack: Accepted, filled: Fields): void {
  show(form, false);
  const heading = h("h2", { class: "h1", tabindex: -1 }, t("The consult is booked"));
  const at = filled.startsAt ?? new Date();
  const there: Zone = { id: filled.zone, city: filled.city };
  fill(
    byId("result"),
    h(
      "section",
      { class: "card stack" },
      heading,
      h(
        "div",
        { class: "clocks" },
        one(t("Physician, {city}", { city: clinic.zone.city }), localTime(at, clinic.zone)),
        one(t("Patient, {city}", { city: filled.city }), localTime(at, there)),
      ),
      h("p", {}, t("Send each link to its person only. Each is shown only now.")),
      invitationList(ack.invitations, labelsFor(ack.invitations, filled)),
      h(
        "div",
        { class: "row end" },
        h("a", { class: "btn", href: "/board/new" }, t("Book another")),
        h("a", { class: "btn btn-act", href: "/board" }, t("To the waiting room")),
      ),
    ),
  );
  heading.focus();
}

function changed(event: Event): void {
  if (event.target === countrySelect) offerZones();
  if (event.target === zoneSelect) takeCity();
  if (event.target === byId("language")) {
    orderInterpreters();
    noteLanguage();
  }
  const byLink = interpreter.value === "invite";
  show(byId("interpreter-name").parentElement ?? form, byLink);
  if (event.target instanceof HTMLElement) event.target.removeAttribute("aria-invalid");
  showClocks();
}

startFrame(clinic.zone);
offerZones();
show(byId("interpreter-name").parentElement ?? form, false);
showClocks();
form.addEventListener("input", changed);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void book();
});
const channel = followBoard(() => undefined);
