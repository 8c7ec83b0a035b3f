/** What a physician decides about people and time: let in, send away, hold, remove, rename, extend, end. */

import { fill, say, show } from "../dom.ts";
import { t } from "../i18n.ts";
import type { ConsultView, DeclineReason, PersonView } from "../protocol.gen.ts";
import { type Actions, personOf, type Visit } from "../visit-context.ts";
import { dialog, openDialog, openedDialog } from "../visit-dialogs.ts";
import { maybe, part } from "../visit-template.ts";
import { facts } from "./facts.ts";

export class Desk {
  private readonly visit: Visit;
  /** Whom the open dialog is about. */
  private about: string | null = null;

  constructor(visit: Visit) {
    this.visit = visit;
  }

  private get person(): PersonView | undefined {
    return this.visit.view ? personOf(this.visit.view, this.about) : undefined;
  }

  /** Open a dialog about the person whose button was pressed. */
  private ask(
    name: string,
    button: HTMLElement,
    words?: (person: PersonView) => string,
  ): PersonView | undefined {
    this.about = button.dataset.about ?? null;
    const { person } = this;
    if (!person) return undefined;
    const box = openDialog(name);
    if (words) say(part(box, "words"), words(person));
    return person;
  }

  /** Send, and close the dialog that asked. A refusal stays readable in it. */
  private async tell(message: Parameters<Visit["send"]>[0]): Promise<void> {
    await this.visit.send(message);
    openedDialog()?.close();
  }

  private get participant(): string {
    return this.about ?? "";
  }

  readonly actions: Actions = {
    admit: (button) => this.askAdmit(button),
    admit_yes: () => this.admit(),
    decline: (button) => {
      this.ask("decline", button, ({ name }) => t("{name} reads that they were not let in.", { name }));
    },
    decline_yes: () => {
      const reason = chosen("decline", "reason") as DeclineReason;
      return this.tell({ type: "decline", participant: this.participant, reason });
    },
    remove: (button) => {
      this.ask("remove", button, ({ name }) => t("{name} cannot come back to this consult.", { name }));
    },
    remove_yes: () => this.tell({ type: "remove", participant: this.participant }),
    rename: (button) => {
      const person = this.ask("rename", button);
      const input = dialog("rename").querySelector("input");
      if (!person || !input) return;
      input.value = person.name;
      input.select();
      input.focus();
    },
    rename_yes: () => {
      const name = dialog("rename").querySelector("input")?.value.trim() ?? "";
      return name ? this.tell({ type: "rename", participant: this.participant, name }) : undefined;
    },
    hold: (button) => this.direct("hold", button),
    resume: (button) => this.direct("resume", button),
    ask_to_mute: async (button) => {
      await this.direct("ask_to_mute", button);
      this.visit.announce(t("Asked."));
    },
    send_notice: () => void openDialog("notice"),
    notice_yes: () => {
      const choice = chosen("notice", "notice");
      const minutes = Number(choice) || 0;
      return this.tell({ type: "send_notice", kind: minutes ? "running_late" : "soon", minutes });
    },
    extend: () => void openDialog("extend"),
    extend_by: (button) => this.tell({ type: "extend", minutes: Number(button.value) }),
    end: () => void openDialog("end"),
    end_yes: () => {
      const technical = dialog("end").querySelector<HTMLInputElement>("[name=technical]")?.checked;
      return this.tell({ type: "end", reason: technical ? "technical" : "completed" });
    },
  };

  private async direct(type: "hold" | "resume" | "ask_to_mute", button: HTMLElement): Promise<void> {
    await this.visit.send({ type, participant: button.dataset.about ?? "" });
  }

  /** A patient's name and year of birth are read out and ticked; nobody else's need to be. */
  private askAdmit(button: HTMLElement): void | Promise<void> {
    this.about = button.dataset.about ?? null;
    const { person } = this;
    if (!person) return;
    const must = mustIdentify(person);
    if (!must && !(mustConsent(person) && person.consented === false)) return this.admit();
    const box = openDialog("admit");
    const tick = part<HTMLElement>(box, "identity");
    show(tick, must);
    const input = tick.querySelector("input");
    if (input) input.checked = false;
    fill(part(box, "facts"), ...facts(person, new Date(this.visit.view?.server_time ?? Date.now())));
    const words = person.further_device_waiting
      ? t("I asked this person: it is really them on the other device.")
      : t(
          "I read the name and the year of birth aloud first, and go on only when the patient confirms them.",
        );
    say(part(box, "identity-words"), words);
    this.drawAdmit(person);
  }

  private async admit(): Promise<void> {
    const { person } = this;
    if (!person) return;
    const identity_confirmed =
      dialog("admit").querySelector<HTMLInputElement>("[name=identity]")?.checked ?? false;
    await this.tell({
      type: "admit",
      participant: person.id,
      further_device: person.further_device_waiting,
      identity_confirmed: identity_confirmed && mustIdentify(person),
    });
  }

  private drawAdmit(person: PersonView): void {
    const missing = mustConsent(person) && person.consented === false;
    show(part(dialog("admit"), "consent"), missing);
    const yes = dialog("admit").querySelector<HTMLButtonElement>("[data-do=admit_yes]");
    const tick = dialog("admit").querySelector<HTMLInputElement>("[name=identity]");
    if (!yes || !tick) return;
    const ready = (): void => {
      yes.disabled = missing || (mustIdentify(person) && !tick.checked);
    };
    tick.onchange = ready;
    ready();
  }

  /** The view changed under an open dialog: consent arrived, or the person is gone. */
  update(view: ConsultView): void {
    const box = openedDialog();
    if (!box || !this.about || !maybe(document, "identity")) return;
    const person = personOf(view, this.about);
    const gone = !person || !ABOUT.some((verb) => person.can.includes(verb));
    if (gone && ABOUT_DIALOGS.has(box.id)) box.close();
    else if (box.id === "dialog-admit" && person) this.drawAdmit(person);
  }
}

const ABOUT = ["admit", "decline", "remove", "rename"] as const;
const ABOUT_DIALOGS: ReadonlySet<string> = new Set([
  "dialog-admit",
  "dialog-decline",
  "dialog-remove",
  "dialog-rename",
]);

export function mustIdentify(person: PersonView): boolean {
  return person.further_device_waiting || (person.role === "patient" && person.identity_confirmed !== true);
}

function mustConsent(person: PersonView): boolean {
  return person.role === "patient" || person.role === "companion";
}

function chosen(name: string, field: string): string {
  return dialog(name).querySelector<HTMLInputElement>(`[name=${field}]:checked`)?.value ?? "";
}
