/** The clocks of the invitation page: the visit's, here and at the clinic, or what time it is now at both. */

import { all, h, icon, say } from "./dom.ts";
import { t } from "./i18n.ts";
import { clocksDiffer, deviceZone, duration, localTime, minutesBetween, type Zone } from "./times.ts";

export interface Clinic {
  readonly name: string;
  readonly phone: string;
  readonly zone: Zone;
}

/** Answer of POST /api/invitation/preview (web.pages.InvitationPreview). */
export interface Preview {
  readonly state: "too_early" | "open" | "ended" | "cancelled" | "no_show" | "revoked" | "unknown";
  readonly role: "patient" | "companion" | "interpreter" | "physician" | "coordinator";
  readonly physician_name: string;
  readonly interpreter: boolean;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly opens_at: string;
  readonly zone: Zone;
  readonly clinic_zone: Zone;
  readonly language: string;
}

/** Both clocks, the reader's own first, and the device's too when it is set to a third one. */
export function times(preview: Preview, coming: boolean): HTMLElement {
  const at = new Date(preview.starts_at);
  const { zone: booked, clinic_zone: clinic } = preview;
  const here = deviceZone();
  const away = clocksDiffer(at, booked.id, clinic.id);
  // Who is booked for no other place than the clinic's is where their device says.
  const own = away || !clocksDiffer(at, here.id, clinic.id) ? booked : here;
  const points = [point(at, own, t("Your time, {city}", { city: own.city }), true, coming)];
  if (clocksDiffer(at, own.id, clinic.id))
    points.push(point(at, clinic, t("Doctor’s time, {city}", { city: clinic.city })));
  if (away && clocksDiffer(at, own.id, here.id) && clocksDiffer(at, clinic.id, here.id))
    points.push(point(at, here, t("This device shows the time of {city}", { city: here.city })));
  return h("ol", { class: "line when", role: "list" }, ...points);
}

/** What time it is, where no visit is known: whoever wants to call sees whether it is night there. */
export function timesNow(clinic: Clinic, now = new Date()): HTMLElement {
  const here = deviceZone();
  const there = point(now, clinic.zone, t("At the clinic, {city}", { city: clinic.zone.city }));
  const points = clocksDiffer(now, here.id, clinic.zone.id)
    ? [point(now, here, t("Your time"), true), there]
    : [there];
  return h(
    "section",
    { class: "card stack" },
    h("h2", {}, t("The time now")),
    h("ol", { class: "line when", role: "list" }, ...points),
  );
}

function point(at: Date, zone: Zone, label: string, first = false, coming = false): HTMLElement {
  const local = localTime(at, zone);
  const when = { datetime: at.toISOString() };
  if (!first) {
    return h(
      "li",
      {},
      h("span", { class: "pt" }),
      h("span", { class: "dim" }, label),
      h("br"),
      h("time", when, h("b", {}, local.clock)),
      " ",
      h("span", { class: "ib" }, local.date),
    );
  }
  const until = h("span", { "data-at": at.toISOString() }, fromNow(at));
  return h(
    "li",
    { class: "now" },
    h("span", { class: "pt" }),
    h("span", {}, label),
    h("time", { ...when, class: "big" }, local.clock),
    h("span", {}, local.date),
    coming && h("br"),
    coming && h("span", { class: "tag act" }, icon("clock"), until),
  );
}

/** Renew the "In 26 minutes" of a screen. */
export function countDown(root: ParentNode): void {
  for (const shown of all("[data-at]", root)) say(shown, fromNow(new Date(shown.dataset.at ?? "")));
}

function fromNow(at: Date): string {
  const now = new Date();
  if (at > now) return t("In {duration}", { duration: duration(minutesBetween(now, at)) });
  const ago = minutesBetween(at, now);
  return ago < 2 ? t("Now") : t("Began {duration} ago", { duration: duration(ago) });
}
