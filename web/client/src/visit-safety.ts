/** The numbers a person may need at once: the clinic's, and the ambulance where they are. */

import { all, bdi, fill, icon } from "./dom.ts";
import { t } from "./i18n.ts";
import type { ConsultView } from "./protocol.gen.ts";
import type { Visit } from "./visit-context.ts";
import { maybe } from "./visit-template.ts";

function tel(number: string): string {
  return `tel:${number.replace(/[^\d+*#]/g, "")}`;
}

/** The country the patient told last on this page; the booked one before that. */
let toldCountry: string | null = null;

export function rememberCountry(code: string): void {
  toldCountry = code;
}

export function numberIn(visit: Visit, code: string | null): string | null {
  return visit.boot.countries.find((country) => country.code === code)?.emergency ?? null;
}

export function emergencyNumber(visit: Visit, view: ConsultView | null): string | null {
  const mine = view?.people.find((person) => person.id === view.me.participant);
  return numberIn(visit, toldCountry ?? mine?.country ?? visit.boot.country);
}

/** Show the clinic's number wherever the screen has a place for it. */
export function fillPhone(root: ParentNode, phone: string): void {
  for (const place of all("[data-part=phone]", root)) place.hidden = phone === "";
  for (const link of all<HTMLAnchorElement>("[data-part=phone-link]", root)) {
    link.href = tel(phone);
    fill(link, bdi(phone, { dir: "ltr" }));
  }
}

export function fillEmergency(root: ParentNode, number: string | null): void {
  const place = maybe(root, "emergency");
  const link = place?.querySelector<HTMLAnchorElement>("[data-part=emergency-link]");
  if (!place || !link) return;
  place.hidden = number === null;
  if (number === null || link.dataset.number === number) return;
  link.dataset.number = number;
  link.href = tel(number);
  fill(link, icon("phone"), " ", t("Call {number}", { number }));
}
