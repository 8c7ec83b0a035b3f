/** Sentences above the stage, one per matter: said once, there while they are true, in words without blame. */

import { first, h, icon, say } from "../dom.ts";

export interface Note {
  readonly words: string;
  readonly icon: string;
  readonly tone?: "warn" | "stop" | "terp" | "plain";
  /** A button under the sentence: its command and label. */
  readonly button?: readonly [name: string, label: string];
  /** Interrupts a screen reader; only for a lost connection or a lost interpreter. */
  readonly urgent?: boolean;
}

export class Notes {
  private readonly shown = new Map<string, HTMLElement>();
  private readonly place: HTMLElement;

  constructor(place: HTMLElement) {
    this.place = place;
  }

  /** Show, change or (null) take away the note about one matter. */
  set(matter: string, note: Note | null): void {
    const before = this.shown.get(matter);
    if (!note) {
      before?.remove();
      this.shown.delete(matter);
      return;
    }
    if (before) {
      say(first("[data-words]", before), note.words);
      return;
    }
    const [name, label] = note.button ?? [];
    const button = name && h("button", { type: "button", class: "btn btn-act", "data-do": name }, label);
    const element = h(
      "div",
      {
        class: `note on-page mid ${TONES[note.tone ?? "plain"]}`,
        role: note.urgent ? "alert" : "status",
        "data-matter": matter,
      },
      icon(note.icon),
      h("span", { class: "grow", "data-words": true }, note.words),
      button,
    );
    this.shown.set(matter, element);
    this.place.append(element);
  }
}

const TONES = { plain: "", warn: "note-warn", stop: "note-stop", terp: "note-terp" } as const;
