/** The people of one consult: where each is, and inviting, re-inviting and taking back links. */

import { askDialog, Wanted } from "./board-dialogs.ts";
import { nameOf, OVER, personOf } from "./board-words.ts";
import { buttons, choices, chosenIn, field, openDialog } from "./dialog.ts";
import { bdi, h } from "./dom.ts";
import { t } from "./i18n.ts";
import { invitationList } from "./invitation-links.ts";
import { languageName } from "./names.ts";
import { roleName } from "./people-words.ts";
import type { Accepted, BoardPerson, BoardRow, Person } from "./protocol.gen.ts";
import { type Channel, commandId } from "./socket.ts";
import type { StaffMessage } from "./staff.ts";

/** What a dialog about a consult can do. */
export interface Management {
  readonly channel: Channel<StaffMessage>;
  readonly clinicZone: string;
  readonly enter: () => Promise<void>;
}

/** Seats from which nobody is thrown out when their link is taken back. */
const OUTSIDE = new Set<BoardPerson["seat"]>(["invited", "left"]);
/** Seats whose link no longer works anyway. */
const BARRED = new Set<BoardPerson["seat"]>(["declined", "removed", "revoked"]);

/** Everybody of a consult, each with what may be done about their link. */
export function peopleList(row: BoardRow, by: Management): HTMLElement {
  return h(
    "ul",
    { class: "people", role: "list" },
    ...row.people.map((person) => personItem(row, person, by)),
  );
}

function personItem(row: BoardRow, person: BoardPerson, by: Management): HTMLElement {
  const revocable = person.can.includes("revoke_invitation") && OUTSIDE.has(person.seat);
  const barred = BARRED.has(person.seat) && person.user === null && row.can.includes("invite");
  const renewable = barred || (person.can.includes("renew_invitation") && person.seat !== "present");
  const small = (words: string, action: string, act: () => void): HTMLElement =>
    h(
      "button",
      { type: "button", class: "btn btn-s", "data-do": action, "data-person": person.id, onclick: act },
      words,
    );
  return h(
    "li",
    {},
    h(
      "span",
      {},
      h("b", {}, bdi(nameOf(person, roleName(person.role)))),
      h("br"),
      h("span", { class: "dim small" }, `${roleName(person.role)} · ${languageName(person.language)}`),
    ),
    h(
      "span",
      { class: "row g2 wrap end" },
      OVER.has(row.phase) ? null : h("span", { class: "small" }, seatWords(person)),
      renewable ? small(t("New link"), "renew", () => renewDialog(row, person, by)) : null,
      revocable ? small(revokeWords(person), "revoke", () => revokeDialog(row, person, by)) : null,
    ),
  );
}

function seatWords(person: BoardPerson): string {
  switch (person.seat) {
    case "invited":
      return t("not here yet");
    case "waiting":
      return t("waiting");
    case "present":
      return t("in the consult");
    case "on_hold":
      return t("on hold");
    case "lost":
      return t("connection lost");
    case "left":
      return t("left");
    case "declined":
      return t("not admitted");
    case "removed":
      return t("taken out");
    case "revoked":
      return t("link taken back");
  }
}

/** Whoever signs in has no link to take back. */
function revokeWords(person: BoardPerson): string {
  return person.user === null ? t("Take back the link") : t("Take off the consult");
}

function revokeDialog(row: BoardRow, person: BoardPerson, by: Management): void {
  const name = nameOf(person, roleName(person.role));
  const byLink = person.user === null;
  askDialog(
    byLink ? t("Take back the link of {name}?", { name }) : t("Take {name} off this consult?", { name }),
    [
      h(
        "p",
        {},
        byLink
          ? t("The link stops working at once. You can invite the person again and get a new link.")
          : t("It disappears from their list."),
      ),
    ],
    {
      words: revokeWords(person),
      style: "btn-red",
      action: "confirm-revoke",
      act: async () => {
        const about = { consult_id: row.consult_id, participant: person.id };
        await by.channel.send({ type: "revoke_invitation", command_id: commandId(), ...about });
      },
    },
  );
}

/** A lost link cannot be shown again, only replaced. Whoever was sent away is invited anew, as they were. */
function renewDialog(row: BoardRow, person: BoardPerson, by: Management): void {
  askDialog(
    t("Make a new link for {name}?", { name: nameOf(person, roleName(person.role)) }),
    [h("p", {}, t("The link they have now stops working."))],
    {
      words: t("Make the link"),
      style: "btn-act",
      action: "confirm-renew",
      act: () =>
        person.can.includes("renew_invitation") ? renew(row, person, by) : invite(row, asBefore(person), by),
    },
  );
}

async function renew(row: BoardRow, person: BoardPerson, by: Management): Promise<() => void> {
  const about = { consult_id: row.consult_id, participant: person.id };
  const ack = await by.channel.send<Accepted>({
    type: "renew_invitation",
    command_id: commandId(),
    ...about,
  });
  return () => showLinks(ack, labelled(person.id, person.name, person));
}

function asBefore(person: BoardPerson): Person {
  const { role, language, name, birth_year, time_zone, country, city } = person;
  return { role, language, name, birth_year, time_zone, country, city };
}

function labelled(
  participant: string,
  name: string,
  { role }: { role: Person["role"] },
): ReadonlyMap<string, string> {
  return new Map([[participant, `${name} (${roleName(role)})`]]);
}

async function invite(row: BoardRow, person: Person, by: Management): Promise<() => void> {
  const ack = await by.channel.send<Accepted>({
    type: "invite",
    command_id: commandId(),
    consult_id: row.consult_id,
    person,
  });
  return () => showLinks(ack, labelled(ack.participant ?? "", person.name ?? "", person));
}

/** One more person, by link. */
export function inviteDialog(row: BoardRow, by: Management): void {
  const name = h("input", {
    id: "invite-name",
    type: "text",
    maxlength: 120,
    required: true,
    autocomplete: "off",
  });
  const options = [
    ["companion", t("Companion")],
    ["interpreter", t("Interpreter")],
  ] as const;
  const roles = choices("invite-role", t("Takes part as"), options, "companion");
  askDialog(t("Invite one more person"), [field(t("Name"), name), roles], {
    words: t("Make the link"),
    style: "btn-act",
    action: "confirm-invite",
    act: async () => {
      if (!name.value.trim()) throw new Wanted(t("Please write the name."));
      const role = chosenIn(roles) === "interpreter" ? "interpreter" : "companion";
      const language = personOf(row, "patient")?.language ?? "en";
      return invite(row, { role, language, name: name.value.trim() }, by);
    },
  });
}

/** New links, each with its person. */
export function showLinks(ack: Accepted, labels: ReadonlyMap<string, string>): void {
  const dialog = openDialog(
    ack.invitations.length > 1 ? t("Here are the links") : t("Here is the link"),
    h("p", { class: "dim" }, t("Send each link to its person only. Each is shown only now.")),
    invitationList(ack.invitations, labels),
    buttons(
      h(
        "button",
        { type: "button", class: "btn btn-act", "data-do": "close", onclick: () => dialog.close() },
        t("Done"),
      ),
    ),
  );
}
