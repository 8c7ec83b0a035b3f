/** One consult of the day: who takes part, and what may be changed about it. */

import { alertPlace, askDialog, doing, Wanted } from "./board-dialogs.ts";
import { inviteDialog, type Management, peopleList, showLinks } from "./board-people.ts";
import { said } from "./board-rows.ts";
import { nameOf, OVER, personOf, stateOf } from "./board-words.ts";
import { buttons, choices, chosenIn, field, openDialog } from "./dialog.ts";
import { fill, h } from "./dom.ts";
import { t } from "./i18n.ts";
import { roleName } from "./people-words.ts";
import type { Accepted, BoardRow, CancelReason } from "./protocol.gen.ts";
import { commandId } from "./socket.ts";
import { clock, clocksDiffer, date, dayIn, duration, instant, timeIn } from "./times.ts";

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
      may("cancel")
        ? button(t("Cancel the consult"), "cancel", () => cancelDialog(row, by), "btn-text stop")
        : null,
      may("end") ? button(t("End for everyone"), "end", () => endDialog(row, by), "btn-text stop") : null,
      may("continue_consult") && !row.continued_as
        ? button(t("Continue with the same people"), "continue", () => continueDialog(row, by))
        : null,
    ),
    buttons(
      h(
        "button",
        { type: "button", class: "btn push", "data-do": "close", onclick: () => dialog.close() },
        t("Close"),
      ),
      row.mine && !OVER.has(row.phase)
        ? doing(() => dialog, t("Open consult"), "btn-act", "enter", by.enter)
        : null,
    ),
  );
}

function endDialog(row: BoardRow, by: Management): void {
  askDialog(t("End the consult for everyone?"), [h("p", {}, t("Nobody can come back after the end."))], {
    words: t("End for everyone"),
    style: "btn-red",
    action: "confirm-end",
    act: async () => {
      const end = { type: "end", reason: "completed" } as const;
      await by.channel.send({ ...end, command_id: commandId(), consult_id: row.consult_id });
    },
  });
}

function continueDialog(row: BoardRow, by: Management): void {
  const lengths = choices(
    "minutes",
    t("Length"),
    [15, 30, 45, 60].map((n) => [String(n), duration(n)] as const),
    "30",
  );
  askDialog(
    t("Continue with the same people"),
    [
      h(
        "p",
        { class: "dim" },
        t(
          "An ended consult stays as it is. A new one begins now with the same people; who still has the page open is taken along.",
        ),
      ),
      lengths,
    ],
    {
      words: t("Continue"),
      style: "btn-act",
      action: "confirm-continue",
      act: async () => {
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
    },
  );
}

function times(row: BoardRow, clinicZone: string): HTMLElement {
  return h("div", {}, ...clocks(new Date(row.starts_at), row, clinicZone), said(stateOf(row), true));
}

/** An instant on the clinic's clock and, where it differs, on the patient's; each with its day. */
function clocks(at: Date, row: BoardRow, clinicZone: string): HTMLElement[] {
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
  const there = zone && clocksDiffer(at, zone, clinicZone);
  return [line(t("Here:"), clinicZone), ...(there ? [line(t("Patient:"), zone)] : [])];
}

function cancelDialog(row: BoardRow, by: Management): void {
  const reasons = choices("reason", t("Why?"), [
    ["patient_asked", t("The patient asked for it")],
    ["physician_unavailable", t("The physician cannot come")],
    ["clinic_closed", t("The clinic is closed")],
    ["mistake", t("It was booked by mistake")],
  ]);
  askDialog(
    t("Cancel this consult?"),
    [h("p", {}, t("All links stop working. Whoever opens one reads that the visit was cancelled.")), reasons],
    {
      words: t("Cancel the consult"),
      style: "btn-red",
      action: "confirm-cancel",
      act: async () => {
        const reason = chosenIn(reasons) as CancelReason | null;
        if (!reason) throw new Wanted(t("Please choose why."));
        await by.channel.send({
          type: "cancel",
          command_id: commandId(),
          consult_id: row.consult_id,
          reason,
        });
      },
    },
    t("Keep it"),
  );
}

function rescheduleDialog(row: BoardRow, by: Management): void {
  const length = Date.parse(row.ends_at) - Date.parse(row.starts_at);
  const before = new Date(row.starts_at);
  const day = h("input", {
    id: "new-day",
    type: "date",
    value: dayIn(before, by.clinicZone),
    required: true,
  });
  const time = h("input", {
    id: "new-time",
    type: "time",
    value: timeIn(before, by.clinicZone),
    required: true,
  });
  const chosen = (): Date | null => instant(day.value, time.value, by.clinicZone);
  const shown = h("div", { role: "status" });
  const draw = (): void => {
    const at = chosen();
    fill(shown, ...(at ? clocks(at, row, by.clinicZone) : []));
  };
  for (const input of [day, time]) input.addEventListener("input", draw);
  draw();
  askDialog(
    t("Change the time"),
    [
      h("p", { class: "dim" }, t("The links stay the same and show the new time. Tell the people about it.")),
      h("div", { class: "two" }, field(t("Date"), day), field(t("Time here"), time)),
      shown,
    ],
    {
      words: t("Change the time"),
      style: "btn-act",
      action: "confirm-reschedule",
      act: async () => {
        const starts = chosen();
        if (!starts) throw new Wanted(t("Please choose a date and a time."));
        const moved = {
          starts_at: starts.toISOString(),
          ends_at: new Date(starts.getTime() + length).toISOString(),
        };
        await by.channel.send({
          type: "reschedule",
          command_id: commandId(),
          consult_id: row.consult_id,
          ...moved,
        });
      },
    },
  );
}
