/** One consult of the day: who takes part, and what may be changed about it. */

import { Wanted, alertPlace, doing } from "./board-dialogs.ts";
import { nameOf, personOf, roleName, stateOf } from "./board-words.ts";
import { said } from "./board-rows.ts";
import { type Dialog, buttons, cancelButton, choices, chosenIn, openDialog } from "./dialog.ts";
import { bdi, h } from "./dom.ts";
import { t } from "./i18n.ts";
import { invitationList } from "./invitation-links.ts";
import { languageName } from "./names.ts";
import type { Accepted, BoardPerson, BoardRow, CancelReason, Person } from "./protocol.gen.ts";
import { type Channel, commandId } from "./socket.ts";
import type { StaffMessage } from "./staff.ts";
import { clock, clocksDiffer, date, duration, instant } from "./times.ts";

export interface Management {
  readonly channel: Channel<StaffMessage>;
  readonly clinicZone: string;
  readonly enter: () => Promise<void>;
}

const GONE = new Set(["left", "declined", "removed", "revoked"]);

/** Everything about one consult; buttons only for what the viewer may do now. */
export function manageDialog(row: BoardRow, by: Management): void {
  const patient = nameOf(personOf(row, "patient"), t("Patient"));
  const may = (verb: BoardRow["can"][number]): boolean => row.can.includes(verb);
  const button = (words: string, action: string, act: () => void, style = ""): HTMLElement =>
    h("button", { type: "button", class: `btn ${style}`, "data-do": action, onclick: act }, words);
  const dialog = openDialog(
    t("Consult with {name}", { name: patient }),
    times(row, by.clinicZone),
    peopleList(row, by),
    alertPlace(),
    h(
      "div",
      { class: "row wrap g2" },
      may("invite") ? button(t("Invite one more person"), "invite", () => inviteDialog(row, by)) : null,
      may("reschedule") ? button(t("Change the time"), "reschedule", () => rescheduleDialog(row, by)) : null,
      may("cancel") ? button(t("Cancel the consult"), "cancel", () => cancelDialog(row, by), "btn-text stop") : null,
      may("end") ? endButton(() => dialog, row, by) : null,
      may("continue_consult") && !row.continued_as
        ? button(t("Continue with the same people"), "continue", () => continueDialog(row, by))
        : null,
    ),
    buttons(
      h("button", { type: "button", class: "btn push", "data-do": "close", onclick: () => dialog.close() }, t("Close")),
      row.mine && !["ended", "cancelled", "no_show"].includes(row.phase)
        ? doing(() => dialog, t("Open consult"), "btn-act", "enter", by.enter)
        : null,
    ),
  );
}

function endButton(dialog: () => Dialog, row: BoardRow, by: Management): HTMLElement {
  return doing(dialog, t("End for everyone"), "btn-text stop", "end", async () => {
    await by.channel.send({ type: "end", command_id: commandId(), consult_id: row.consult_id, reason: "completed" });
  });
}

function continueDialog(row: BoardRow, by: Management): void {
  const lengths = choices(
    "minutes",
    t("Length"),
    [15, 30, 45, 60].map((n) => [String(n), duration(n)] as const),
    "30",
  );
  const dialog = openDialog(
    t("Continue with the same people"),
    h(
      "p",
      { class: "dim" },
      t(
        "An ended consult stays as it is. A new one begins now with the same people; who still has the page open is taken along.",
      ),
    ),
    lengths,
    alertPlace(),
    buttons(
      cancelButton(() => dialog),
      doing(
        () => dialog,
        t("Continue"),
        "btn-act",
        "confirm-continue",
        async () => {
          const minutes = Number(chosenIn(lengths) ?? "30");
          const ack = await by.channel.send<Accepted>({
            type: "continue_consult",
            command_id: commandId(),
            consult_id: row.consult_id,
            minutes,
          });
          const labels = new Map(
            row.people.map((one) => [one.id, `${nameOf(one, roleName(one.role))} (${roleName(one.role)})`]),
          );
          return ack.invitations.length > 0 ? () => showLinks(ack, labels) : undefined;
        },
      ),
    ),
  );
}

function times(row: BoardRow, clinicZone: string): HTMLElement {
  const at = new Date(row.starts_at);
  const zone = personOf(row, "patient")?.time_zone;
  const line = (label: string, where: string): HTMLElement =>
    h(
      "p",
      {},
      h("span", { class: "dim" }, label),
      " ",
      h("b", { class: "num" }, clock(at, where)),
      " ",
      date(at, where),
    );
  return h(
    "div",
    {},
    line(t("Here:"), clinicZone),
    zone && clocksDiffer(at, zone, clinicZone) ? line(t("Patient:"), zone) : null,
    said(stateOf(row), true),
  );
}

function peopleList(row: BoardRow, by: Management): HTMLElement {
  return h("ul", { class: "people", role: "list" }, ...row.people.map((person) => personItem(row, person, by)));
}

function personItem(row: BoardRow, person: BoardPerson, by: Management): HTMLElement {
  const revocable = person.can.includes("revoke_invitation") && !GONE.has(person.seat);
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
      { class: "row g2" },
      h("span", { class: "small" }, seatWords(person)),
      revocable
        ? h(
            "button",
            { type: "button", class: "btn btn-s", "data-do": "revoke", onclick: () => revokeDialog(row, person, by) },
            t("Take back the link"),
          )
        : null,
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

function revokeDialog(row: BoardRow, person: BoardPerson, by: Management): void {
  const dialog = openDialog(
    t("Take back the link of {name}?", { name: nameOf(person, roleName(person.role)) }),
    h("p", {}, t("The link stops working at once. You can invite the person again and get a new link.")),
    alertPlace(),
    buttons(
      cancelButton(() => dialog),
      doing(
        () => dialog,
        t("Take back the link"),
        "btn-red",
        "confirm-revoke",
        async () => {
          await by.channel.send({
            type: "revoke_invitation",
            command_id: commandId(),
            consult_id: row.consult_id,
            participant: person.id,
          });
        },
      ),
    ),
  );
}

function cancelDialog(row: BoardRow, by: Management): void {
  const reasons = choices("reason", t("Why?"), [
    ["patient_asked", t("The patient asked for it")],
    ["physician_unavailable", t("The physician cannot come")],
    ["clinic_closed", t("The clinic is closed")],
    ["mistake", t("It was booked by mistake")],
  ]);
  const dialog = openDialog(
    t("Cancel this consult?"),
    h("p", {}, t("All links stop working. Whoever opens one reads that the visit was cancelled.")),
    reasons,
    alertPlace(),
    buttons(
      h(
        "button",
        { type: "button", class: "btn btn-text push", "data-do": "cancel-dialog", onclick: () => dialog.close() },
        t("Keep it"),
      ),
      doing(
        () => dialog,
        t("Cancel the consult"),
        "btn-red",
        "confirm-cancel",
        async () => {
          const reason = chosenIn(reasons) as CancelReason | null;
          if (!reason) throw new Wanted(t("Please choose why."));
          await by.channel.send({ type: "cancel", command_id: commandId(), consult_id: row.consult_id, reason });
        },
      ),
    ),
  );
}

function rescheduleDialog(row: BoardRow, by: Management): void {
  const length = Date.parse(row.ends_at) - Date.parse(row.starts_at);
  const day = h("input", { id: "new-day", type: "date", required: true });
  const time = h("input", { id: "new-time", type: "time", required: true });
  const dialog = openDialog(
    t("Change the time"),
    h("p", { class: "dim" }, t("The links stay the same and show the new time. Tell the people about it.")),
    h("div", { class: "two" }, field(t("Date"), day), field(t("Time here"), time)),
    alertPlace(),
    buttons(
      cancelButton(() => dialog),
      doing(
        () => dialog,
        t("Change the time"),
        "btn-act",
        "confirm-reschedule",
        async () => {
          const starts = instant(day.value, time.value, by.clinicZone);
          if (!starts) throw new Wanted(t("Please choose a date and a time."));
          const moved = { starts_at: starts.toISOString(), ends_at: new Date(starts.getTime() + length).toISOString() };
          await by.channel.send({ type: "reschedule", command_id: commandId(), consult_id: row.consult_id, ...moved });
        },
      ),
    ),
  );
}

function field(label: string, input: HTMLElement): HTMLElement {
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input);
}

function inviteDialog(row: BoardRow, by: Management): void {
  const name = h("input", { id: "invite-name", type: "text", maxlength: 120, required: true, autocomplete: "off" });
  const roles = choices(
    "invite-role",
    t("Takes part as"),
    [
      ["companion", t("Companion")],
      ["interpreter", t("Interpreter")],
    ],
    "companion",
  );
  const dialog = openDialog(
    t("Invite one more person"),
    field(t("Name"), name),
    roles,
    alertPlace(),
    buttons(
      cancelButton(() => dialog),
      doing(
        () => dialog,
        t("Make the link"),
        "btn-act",
        "confirm-invite",
        async () => {
          if (!name.value.trim()) throw new Wanted(t("Please write the name."));
          const person: Person = {
            role: chosenIn(roles) === "interpreter" ? "interpreter" : "companion",
            language: personOf(row, "patient")?.language ?? "en",
            name: name.value.trim(),
          };
          const ack = await by.channel.send<Accepted>({
            type: "invite",
            command_id: commandId(),
            consult_id: row.consult_id,
            person,
          });
          const labels = new Map([[ack.participant ?? "", `${person.name} (${roleName(person.role)})`]]);
          return () => showLinks(ack, labels);
        },
      ),
    ),
  );
}

function showLinks(ack: Accepted, labels: ReadonlyMap<string, string>): void {
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
