/** After the end: the physician goes on in a new consult with the same people, and everybody finds their way there. */

import { Failure, post } from "./api.ts";
import { fill, h, show } from "./dom.ts";
import { t } from "./i18n.ts";
import { roleName } from "./people-words.ts";
import type { Accepted, ConsultView } from "./protocol.gen.ts";
import { Refusal } from "./socket.ts";
import { isPatient, type Visit } from "./visit-context.ts";
import { maybe } from "./visit-template.ts";

const MINUTES = 15;

/** Keep who is who: the view of an ended consult names nobody else any more. */
export function remember(names: Map<string, string>, view: ConsultView): void {
  for (const { id, name, role } of view.people) {
    if (name) names.set(id, t("{name} ({role})", { name, role: roleName(role) }));
  }
}

/** Make the new consult. Its links are shown once, for whoever does not come back by themselves. */
export async function continueConsult(visit: Visit, names: ReadonlyMap<string, string>): Promise<void> {
  const { invitations } = await visit.send<Accepted>({ type: "continue_consult", minutes: MINUTES });
  const place = maybe(document, "links");
  if (!place || !invitations.length) return;
  const { invitationList } = await import("./invitation-links.ts");
  const words = t("Give these links to people who do not come back by themselves. They are shown only once.");
  fill(place, h("p", {}, words), invitationList(invitations, names));
  show(place, true);
}

/** Go to the new consult: staff by their sign-in, guests by the seat they had. */
export async function follow(visit: Visit): Promise<void> {
  const consult_id = visit.view?.continued_as;
  if (!consult_id) return;
  const id = encodeURIComponent(consult_id);
  const { role, participant_id } = visit.boot;
  try {
    if (role === "physician" || role === "coordinator") await post(`/api/consult/${id}/enter`);
    else await post("/api/ticket", { consult_id, participant_id });
  } catch (error) {
    if (error instanceof Failure && error.status === 404) return askForLink(visit);
    throw new Refusal(error instanceof Failure && error.status === 0 ? "offline" : "internal");
  }
  location.assign(`/c/${id}/${encodeURIComponent(participant_id)}`);
}

function askForLink(visit: Visit): void {
  const place = maybe(document, "links");
  if (!place) return;
  const words = isPatient(visit.boot.role)
    ? t("Please ask the clinic for a new link.")
    : t("Please ask the physician for a new link.");
  fill(place, h("p", {}, words));
  show(place, true);
}
