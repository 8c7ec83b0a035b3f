/** What the invitation page shows in each state, as elements. */

import { calendarFile } from "./calendar.ts";
import { bdi, h, icon } from "./dom.ts";
import { t } from "./i18n.ts";
import { type Clinic, type Preview, times, timesNow } from "./invite-times.ts";
import { initials } from "./names.ts";
import { clock, date } from "./times.ts";

type Join = (button: HTMLButtonElement, problem: HTMLElement) => Promise<void>;

/** The visit, with the button that enters it or, before that, what to do until the waiting room opens. */
export function visit(preview: Preview, clinic: Clinic, join: Join): Node[] {
  const early = preview.state === "too_early";
  return [
    h("div", { class: "stack stack-s" }, h("h1", {}, title(preview)), invitedBy(preview)),
    facts(preview, clinic, true),
    ...(early ? [opensLater(preview), calendarButton(preview, true)] : [...joinForm(join)]),
    h("div", { class: "links" }, early ? null : calendarButton(preview, false), cannotCome(clinic)),
  ].filter((node): node is HTMLElement => node !== null);
}

function title(preview: Preview): string {
  return preview.role === "interpreter" ? t("You are the interpreter") : t("Your video visit");
}

function invitedBy(preview: Preview): HTMLElement | null {
  if (!preview.physician_name) return null;
  const words =
    preview.role === "interpreter"
      ? t("You interpret for {physician} and a patient.", { physician: preview.physician_name })
      : t("{physician} invites you.", { physician: preview.physician_name });
  return h("p", { class: "dim" }, words);
}

function facts(preview: Preview, clinic: Clinic, coming: boolean): HTMLElement {
  return h(
    "section",
    { class: "card stack", "aria-label": t("Your visit") },
    preview.physician_name
      ? h(
          "div",
          { class: "row" },
          h("span", { class: "face", "aria-hidden": "true" }, initials(preview.physician_name)),
          h(
            "div",
            { class: "grow" },
            h("b", {}, bdi(preview.physician_name)),
            h("br"),
            h("span", { class: "dim" }, bdi(clinic.name)),
          ),
        )
      : null,
    times(preview, coming),
    coming && preview.interpreter && preview.role !== "interpreter"
      ? h(
          "p",
          { class: "row terp strip" },
          icon("terp"),
          h("span", { class: "grow" }, t("An interpreter will be with you.")),
        )
      : null,
  );
}

function joinForm(join: Join): HTMLElement[] {
  const problem = h("div", { role: "alert" });
  const button = h(
    "button",
    { class: "btn btn-act btn-wide btn-big", "data-do": "join" },
    t("Join the visit"),
    icon("arrow", "flip"),
  );
  const submitted = (event: Event): void => {
    event.preventDefault();
    void join(button, problem);
  };
  return [
    h("form", { class: "foot stack stack-s", onsubmit: submitted }, problem, button),
    h(
      "p",
      { class: "dim" },
      t("First we test your camera and sound. It takes 1 minute. You need no app and no account."),
    ),
  ];
}

function opensLater(preview: Preview): HTMLElement {
  const opens = new Date(preview.opens_at);
  const values = {
    time: clock(opens, preview.zone.id),
    date: date(opens, preview.zone.id),
    city: preview.zone.city,
  };
  return h(
    "p",
    { class: "note" },
    icon("info"),
    h(
      "span",
      { class: "grow" },
      h("b", {}, t("You are early.")),
      " ",
      t("The waiting room opens on {date} at {time}, {city} time.", values),
      " ",
      t("Open this link again then. You can also leave this page open."),
    ),
  );
}

function calendarButton(preview: Preview, primary: boolean): HTMLElement {
  const attributes = {
    type: "button",
    class: primary ? "btn btn-act btn-wide btn-big" : "as-link",
    "data-do": "calendar",
  };
  return h(
    "button",
    { ...attributes, onclick: () => saveCalendar(preview) },
    icon("cal"),
    t("Add to calendar"),
  );
}

function saveCalendar(preview: Preview): void {
  const startsAt = new Date(preview.starts_at);
  const file = calendarFile({
    uid: `${startsAt.getTime().toString(36)}@meridian`,
    startsAt,
    endsAt: new Date(preview.ends_at),
    madeAt: new Date(),
    title: preview.physician_name
      ? t("Video visit with {physician}", { physician: preview.physician_name })
      : t("Video visit"),
    description: t("Open the link that we sent you. The waiting room opens at {time}, {city} time.", {
      time: clock(new Date(preview.opens_at), preview.zone.id),
      city: preview.zone.city,
    }),
  });
  const url = URL.createObjectURL(new Blob([file], { type: "text/calendar;charset=utf-8" }));
  h("a", { href: url, download: "visit.ics" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function cannotCome(clinic: Clinic): HTMLElement | null {
  if (!clinic.phone) return null;
  return h(
    "details",
    { class: "more" },
    h("summary", {}, t("I cannot come")),
    h("p", {}, t("Call the clinic. We find another time for you.")),
    callButton(clinic),
  );
}

function callButton(clinic: Clinic): HTMLElement {
  return h(
    "a",
    { class: "btn btn-wide", href: `tel:${clinic.phone.replace(/\s/g, "")}` },
    icon("phone"),
    h("span", {}, t("Call the clinic"), h("br"), bdi(clinic.phone, { dir: "ltr", class: "num nobreak" })),
  );
}

function callNote(clinic: Clinic): HTMLElement | null {
  if (!clinic.phone) return null;
  return h(
    "section",
    { class: "card stack" },
    h("p", {}, t("Call the clinic. We help you in your language.")),
    callButton(clinic),
  );
}

/** A state of the page: its sign, its heading and what follows. */
export function screen(
  hero: string,
  tone: string,
  heading: string,
  ...rest: (HTMLElement | null)[]
): HTMLElement[] {
  const nodes = [
    h("span", { class: `hero ${tone}` }, icon(hero)),
    h("h1", { tabindex: -1 }, heading),
    ...rest,
  ];
  return nodes.filter((node): node is HTMLElement => node !== null);
}

/** The visit is over, cancelled or no longer for this person. */
export function over(preview: Preview, clinic: Clinic): Node[] {
  switch (preview.state) {
    case "cancelled":
      return screen(
        "cal",
        "warn",
        t("This visit was cancelled"),
        h("p", {}, t("You do not need to come.")),
        facts(preview, clinic, false),
        callNote(clinic),
      );
    case "no_show":
      return screen(
        "clock",
        "warn",
        t("This visit is over"),
        h("p", {}, t("We waited for you. Call us and we find another time.")),
        facts(preview, clinic, false),
        callNote(clinic),
      );
    case "revoked":
      return screen(
        "link",
        "warn",
        t("This link is no longer in use"),
        h("p", {}, t("The clinic may have sent you a new link. Look at your newest message.")),
        facts(preview, clinic, false),
        callNote(clinic),
      );
    default:
      return screen(
        "check",
        "",
        t("This visit is over"),
        h("p", {}, t("The link does not open it again.")),
        facts(preview, clinic, false),
        callNote(clinic),
      );
  }
}

/** The address holds no secret, or none we know. */
export function lostLink(clinic: Clinic): Node[] {
  return screen(
    "link",
    "warn",
    t("This link is not complete"),
    h(
      "p",
      {},
      t("A part of the link is missing, or it is too old. Go back to the message and tap the link there."),
    ),
    timesNow(clinic),
    callNote(clinic),
  );
}

function faultWords(code: string): string {
  if (code === "too_many") return t("Please wait one minute. Then try again.");
  const unreached = code === "offline" || code === "timeout";
  return unreached
    ? t("We cannot reach the clinic at the moment. Check your internet connection.")
    : t("Something went wrong on our side. Please try again.");
}

/** No answer, or too many tries. */
export function unreachable(clinic: Clinic, code: string, again: () => void): Node[] {
  const button = h(
    "button",
    { type: "button", class: "btn btn-act btn-wide btn-big", "data-do": "again", onclick: again },
    t("Try again"),
  );
  return screen(
    "warn",
    "warn",
    t("The page did not open"),
    h("p", { role: "alert" }, faultWords(code)),
    button,
    timesNow(clinic),
    callNote(clinic),
  );
}

/** Why the button did not work. */
export function failed(code: string, supportId: string | null): Node[] {
  const number = supportId
    ? h(
        "span",
        { class: "small" },
        " ",
        t("If you call, say this number:"),
        " ",
        bdi(supportId, { dir: "ltr" }),
      )
    : null;
  return [
    h("p", { class: "note note-warn" }, icon("warn"), h("span", { class: "grow" }, faultWords(code), number)),
  ];
}
