/** Recording: everybody is asked in their own language, sees at any time whether they are recorded, and can stop it. */

import { playChime } from "../check/sound.ts";
import { first, h, icon, redraw, say, show } from "../dom.ts";
import { language, t } from "../i18n.ts";
import type { ConsultView, RecordingView, What } from "../protocol.gen.ts";
import { type Actions, type ConsentText, personOf, type Visit } from "../visit-context.ts";
import { closeDialog, dialog, openDialog, openedDialog } from "../visit-dialogs.ts";
import { maybe, part } from "../visit-template.ts";
import type { Notes } from "./notes.ts";
import { heading, personList, spoken, stateWords, type Told } from "./recording-words.ts";

/** Without a word from the server for so long, nobody can say whether it is still so. */
const UNKNOWN_AFTER_MS = 3_000;
const LOOK_EVERY_MS = 1_000;

export class RecordingSigns {
  private readonly visit: Visit;
  private readonly root: HTMLElement;
  private readonly notes: Notes;
  private readonly timer: number;
  private told: Told | null = null;
  private askedNo = 0;
  private away: number | null = null;
  private what: What = "video";

  constructor(visit: Visit, root: HTMLElement, notes: Notes) {
    this.visit = visit;
    this.root = root;
    this.notes = notes;
    this.timer = window.setInterval(() => this.drawMark(), LOOK_EVERY_MS);
  }

  readonly actions: Actions = {
    ask_recording: () => this.openQuestion(),
    ask_recording_yes: () => this.ask(),
    record_what: (button) => this.choose(button.value as What),
    recording_open: () => this.openSheet(),
    agree_to_recording: () => this.agree(),
    refuse_recording: () => this.refuse(),
    stop_recording: () => this.send({ type: "stop_recording" }),
    read_aloud: () => this.readAloud(),
  };

  private text(what: What): ConsentText | null {
    return this.visit.boot.recording_texts[what] ?? null;
  }

  private async send(message: Parameters<Visit["send"]>[0]): Promise<void> {
    await this.visit.send(message);
  }

  // --- the physician asks ------------------------------------------------------------------------------------

  private async openQuestion(): Promise<void> {
    const { recording } = this.visit.view ?? {};
    if (recording?.why === "failed" && recording.state === "paused") return this.again(recording);
    openDialog("record");
    this.choose(this.what);
  }

  private choose(what: What): void {
    this.what = what;
    const box = dialog("record");
    const text = this.text(what);
    for (const button of box.querySelectorAll<HTMLButtonElement>("[data-do=record_what]"))
      button.setAttribute("aria-pressed", String(button.value === what));
    fillText(part(box, "text"), text);
    show(part(box, "no-text"), text === null);
    first<HTMLButtonElement>("[data-do=ask_recording_yes]", box).disabled = text === null;
  }

  private async ask(): Promise<void> {
    const text = this.text(this.what);
    if (!text) return;
    await this.send({ type: "ask_recording", what: this.what, ...agreed(text) });
    closeDialog("record");
  }

  /** After a fault the same question lets it go on; everybody has answered it already. */
  private async again(recording: RecordingView): Promise<void> {
    const text = this.text(recording.what);
    if (text) await this.send({ type: "ask_recording", what: recording.what, ...agreed(text) });
  }

  // --- everybody answers -------------------------------------------------------------------------------------

  private openSheet(): void {
    const recording = this.visit.view?.recording;
    if (!recording) return;
    this.drawSheet(recording);
    openDialog("recording");
  }

  private drawSheet(recording: RecordingView): void {
    const box = dialog("recording");
    const text = this.text(recording.what);
    say(first("h2", box), text?.title ?? heading(recording.what));
    fillText(part(box, "text"), text);
    show(part(box, "no-text"), text === null);
    show(first("[data-do=agree_to_recording]", box), text !== null);
    show(first("[data-do=read_aloud]", box), text !== null && voice(text.language) !== null);
    const { view } = this.visit;
    if (view) redraw(part(box, "answers"), ...answers(view, recording));
  }

  private async agree(): Promise<void> {
    const { recording } = this.visit.view ?? {};
    const text = recording && this.text(recording.what);
    if (!recording || !text) return;
    await this.send({ type: "agree_to_recording", what: recording.what, ...agreed(text) });
    this.closeSheet();
  }

  private async refuse(): Promise<void> {
    await this.send({ type: "refuse_recording" });
    this.closeSheet();
  }

  private closeSheet(): void {
    if ("speechSynthesis" in window) speechSynthesis.cancel();
    closeDialog("recording");
  }

  private readAloud(): void {
    const recording = this.visit.view?.recording;
    const text = recording && this.text(recording.what);
    if (!text) return;
    if (speechSynthesis.speaking) speechSynthesis.cancel();
    else speak([text.title, ...text.paragraphs].join(" "), text.language);
  }

  // --- everybody sees and hears -------------------------------------------------------------------------------

  update(view: ConsultView): void {
    const { recording } = view;
    this.drawMark();
    this.sayNews(view);
    this.sayAnswers(view);
    const asked = recording !== null && recording.state !== "stopped" && recording.mine === null;
    if (asked && view.screen === "room") this.invite(recording);
    else if (dialog("recording").open && !asked) closeDialog("recording");
    this.drawNotes(view, asked);
    if (recording && dialog("recording").open) this.drawSheet(recording);
  }

  /** The question opens by itself once; whoever closes it finds it in a note above the picture. */
  private invite(recording: RecordingView): void {
    if (this.askedNo === recording.no || openedDialog() !== null) return;
    this.askedNo = recording.no;
    this.openSheet();
  }

  private drawMark(): void {
    const { view, channel } = this.visit;
    const mark = maybe(this.root, "recording");
    if (!mark || !view) return;
    this.away = channel === "lost" ? (this.away ?? performance.now()) : null;
    const unknown = this.away !== null && performance.now() - this.away > UNKNOWN_AFTER_MS;
    const state = unknown ? "unknown" : (view.recording?.state ?? "none");
    mark.dataset.state = state;
    mark.classList.toggle("tag-rec", state === "on");
    say(part(mark, "recording-words"), unknown ? t("Recording: not known") : stateWords(view.recording));
  }

  private drawNotes(view: ConsultView, asked: boolean): void {
    const { recording } = view;
    const open = recording !== null && recording.state !== "stopped";
    this.notes.set(
      "recording-asked",
      asked
        ? {
            words: t("You are asked whether this visit may be recorded."),
            icon: "rec",
            button: ["recording_open", t("Read and answer")],
          }
        : null,
    );
    const stop = maybe<HTMLElement>(this.root, "recording-stop");
    if (stop) show(stop, open && recording.mine === "agreed");
    const again = open && (recording.mine === "refused" || recording.mine === "revoked");
    const stopped = t("You stopped the recording. Your visit goes on as before.");
    this.notes.set(
      "recording-again",
      again ? { words: stopped, icon: "check", button: ["recording_open", t("Allow it again")] } : null,
    );
    const failed = recording?.state === "paused" && recording.why === "failed";
    const words = t("The recording has stopped: the clinic's storage does not take it. The visit goes on.");
    this.notes.set(
      "recording-failed",
      failed
        ? {
            words,
            icon: "warn",
            tone: "warn",
            urgent: true,
            ...(view.can.includes("ask_recording") && { button: ["ask_recording", t("Try again")] as const }),
          }
        : null,
    );
  }

  /** For the physician: who has agreed, by name, and whom the recording waits for. */
  private sayAnswers(view: ConsultView): void {
    const place = maybe(this.root, "recording-panel");
    if (!place) return;
    const { recording } = view;
    const open = recording !== null && recording.state !== "stopped";
    show(place, open);
    if (!open) return;
    redraw(
      place,
      h("h2", {}, t("Recording")),
      h(
        "p",
        { class: "small", "data-part": "recording-state" },
        stateWords(recording),
        waits(view, recording),
      ),
      h("ul", { class: "stack stack-s small" }, ...answers(view, recording)),
      h(
        "button",
        { type: "button", class: "btn btn-s", "data-do": "stop_recording", "data-key": "stop_recording" },
        recording.state === "asked" ? t("Take the question back") : t("Stop recording"),
      ),
    );
    show(first("[data-do=stop_recording]", place), view.can.includes("stop_recording"));
  }

  /** Said aloud and to screen readers, in the person's own language, whenever it is otherwise than before. */
  private sayNews(view: ConsultView): void {
    const { recording } = view;
    const now: Told = {
      no: recording?.no ?? 0,
      state: recording?.state ?? "none",
      why: recording?.why ?? null,
    };
    const before = this.told;
    this.told = now;
    // Whoever comes in hears that it is on; whoever was here hears what has changed.
    if (before === null && now.state !== "on") return;
    const words = spoken(before, now, recording);
    if (!words) return;
    this.visit.announce(words);
    if (voice(language())) speak(words, language());
    else void playChime(this.visit.media.devices.choice.speaker).catch(() => undefined);
  }

  connection(): void {
    this.drawMark();
  }

  close(): void {
    window.clearInterval(this.timer);
    if ("speechSynthesis" in window) speechSynthesis.cancel();
  }
}

function agreed(text: ConsentText): { text_id: string; text_hash: string; language: string } {
  return { text_id: text.id, text_hash: text.hash, language: text.language };
}

function fillText(place: HTMLElement, text: ConsentText | null): void {
  place.lang = text?.language ?? "";
  const lines = text?.paragraphs ?? [];
  redraw(place, ...lines.map((line, no) => h("li", {}, no === lines.length - 1 ? h("b", {}, line) : line)));
}

function answers(view: ConsultView, recording: RecordingView): HTMLElement[] {
  return recording.answers.map(({ participant, answer }) => {
    const mine = participant === view.me.participant;
    const person = personOf(view, participant);
    const [look, picture] = answer === "agreed" ? ["good", "check"] : answer ? ["warn", "x"] : ["", "clock"];
    return h(
      "li",
      { class: `tag ${look}`, "data-answer": answer ?? "none", "data-role": person?.role ?? "" },
      icon(picture),
      " ",
      personList(person, mine, answer),
    );
  });
}

function waits(view: ConsultView, recording: RecordingView): string {
  const missing = recording.answers.filter((one) => one.answer === null);
  const names = missing.map((one) => personOf(view, one.participant)?.name ?? "").filter(Boolean);
  if (names.length === 0) return "";
  const list = new Intl.ListFormat(language(), { type: "conjunction" }).format(names);
  return ` ${t("Waits for the answer of {names}.", { names: list })}`;
}

/** A voice for this language; some browsers have none, and are silent without saying so. */
function voice(tag: string): SpeechSynthesisVoice | null {
  if (!("speechSynthesis" in window)) return null;
  const base = tag.split("-")[0] ?? tag;
  return speechSynthesis.getVoices().find((one) => one.lang.toLowerCase().startsWith(base)) ?? null;
}

function speak(words: string, tag: string): void {
  const utterance = new SpeechSynthesisUtterance(words);
  utterance.lang = tag;
  utterance.voice = voice(tag);
  speechSynthesis.cancel();
  speechSynthesis.speak(utterance);
}
