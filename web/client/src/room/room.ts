/** The consult: the stage, the controls, the staff's panel, and a sentence for whatever is not as it should be. */

import { say } from "../dom.ts";
import { t } from "../i18n.ts";
import { live } from "../media/devices.ts";
import type { Quality } from "../media/stats.ts";
import { languageName } from "../names.ts";
import type { ConnectionLevel, ConsultView, PersonView } from "../protocol.gen.ts";
import { minutesBetween } from "../times.ts";
import { type Actions, isPatient, personOf, type Screen, type Visit } from "../visit-context.ts";
import { allowed } from "../visit-gate.ts";
import { clone, maybe, part } from "../visit-template.ts";
import { blockedWords, clockWords } from "../visit-words.ts";
import { dockActions, drawDock, listenToKeys } from "./dock.ts";
import { type Note, Notes } from "./notes.ts";
import type { Panel } from "./panel.ts";
import type { RecordingSigns } from "./recording.ts";
import { Signs } from "./signs.ts";
import { Stage } from "./stage.ts";

const CLOCK_EVERY_MS = 1_000;
/** A short break mends itself: say nothing that is gone before it is read. */
const TROUBLE_AFTER_MS = 1_500;
const NEARLY_OVER_MIN = 5;
/** An interpreter of whom nothing has come for so long has lost the connection, whoever says so later. */
const SILENT_MS = 2_000;

export function openRoom(visit: Visit, root: HTMLElement): Screen {
  return new Room(visit, root);
}

class Room implements Screen {
  private readonly visit: Visit;
  private readonly root: HTMLElement;
  private readonly stage: Stage;
  private readonly notes: Notes;
  private readonly signs: Signs;
  private recording: RecordingSigns | null = null;
  private recordingComes = false;
  private readonly patient: boolean;
  private panel: Panel | null = null;
  private readonly offKeys: () => void;
  private readonly clock: number;
  private serverAhead = 0;
  private quality: Quality | null = null;
  private told: ConnectionLevel | null = null;
  private troubleSince: number | null = null;
  private trouble: number | undefined;
  private failedOpen = false;
  private interpreterSeen = false;

  constructor(visit: Visit, root: HTMLElement) {
    this.visit = visit;
    this.root = root;
    this.patient = isPatient(visit.boot.role);
    root.append(clone("screen-room"));
    this.notes = new Notes(part(root, "messages"));
    this.stage = new Stage(visit, part(root, "stage"));
    this.signs = new Signs(visit, part(root, "messages"), this.notes, this.stage);
    this.stage.onblocked = () => this.sayBlocked();
    visit.media.events.up = () => visit.view && this.stage.attach(visit.view);
    visit.media.events.interrupted = () => this.connection();
    visit.media.events.quality = (quality) => this.measured(quality);
    this.offKeys = listenToKeys((name) => void this.actions[name]?.(document.createElement("button")));
    this.clock = window.setInterval(() => this.tick(), CLOCK_EVERY_MS);
    if (!this.patient) void this.openPanel();
    void this.openDevices();
  }

  get actions(): Actions {
    return { ...dockActions(this.visit), ...this.own, ...this.recording?.actions, ...this.panel?.actions };
  }

  private readonly own: Actions = {
    hear: () => this.stage.play(),
    resume_devices: () => this.visit.media.resume(),
    open_devices: () => this.openDevices(),
  };

  /** After a reload in the middle of the visit, or without a check on this page. */
  private async openDevices(): Promise<void> {
    const { devices } = this.visit.media;
    const opened = devices.supported
      ? await devices.open({ audio: true, video: devices.cameraWanted })
      : null;
    this.failedOpen = opened !== null && opened.audio !== null;
    this.connection();
  }

  private async openPanel(): Promise<void> {
    const { Panel } = await import("./panel.ts");
    if (!this.root.isConnected) return;
    this.panel = new Panel(this.visit, this.root, this.notes, this.stage);
    if (this.visit.view) this.update(this.visit.view);
  }

  /** Most visits are never recorded: what it needs is loaded with the first question. */
  private async openRecording(): Promise<void> {
    if (this.recordingComes) return;
    this.recordingComes = true;
    say(part(this.root, "recording-words"), t("Recording: not known"));
    try {
      const { RecordingSigns } = await import("./recording.ts");
      if (!this.root.isConnected) return;
      this.recording = new RecordingSigns(this.visit, this.root, this.notes);
      if (this.visit.view) this.recording.update(this.visit.view);
    } catch {
      this.recordingComes = false; // The next view tries again.
    }
  }

  update(view: ConsultView): void {
    this.serverAhead = Date.parse(view.server_time) - Date.now();
    this.stage.update(view);
    this.panel?.update(view);
    this.signs.update(view);
    this.recording?.update(view);
    if (view.recording) void this.openRecording();
    drawDock(this.root, this.visit, view);
    this.sayPeople(view);
    this.connection();
    this.tick();
  }

  connection(): void {
    const { view, media } = this.visit;
    if (view) {
      drawDock(this.root, this.visit, view);
      this.stage.attach(view);
    }
    const broken = this.visit.channel === "lost" || media.connection.state !== "connected";
    if (!broken) this.troubleSince = null;
    else this.troubleSince ??= performance.now();
    const lasted = performance.now() - (this.troubleSince ?? -Infinity);
    window.clearTimeout(this.trouble);
    this.trouble = window.setTimeout(() => this.sayConnection(), Math.max(0, TROUBLE_AFTER_MS - lasted));
    this.recording?.connection();
    this.sayDevices();
  }

  private sayConnection(): void {
    const { channel, media } = this.visit;
    const lasted = this.troubleSince !== null && performance.now() - this.troubleSince >= TROUBLE_AFTER_MS;
    const blocked = media.connection.state === "failed" && channel === "connected";
    const words = blocked
      ? blockedWords(this.visit)
      : t("We are bringing you back. You do not need to do anything.");
    const note = { words, icon: blocked ? "wifi" : "repeat", tone: "warn", urgent: true } as const;
    this.notes.set("connection", lasted ? note : null);
    const tag = part(this.root, "connection");
    const level = lasted ? "lost" : (this.quality?.level ?? "good");
    tag.classList.toggle("good", level === "good");
    tag.classList.toggle("warn", level !== "good");
    say(part(this.root, "connection-words"), OWN_CONNECTION[level]());
    // Reached but without sound and picture: the others would otherwise wait for a picture that cannot come.
    if (blocked && lasted) this.tell("lost");
  }

  private measured(quality: Quality): void {
    this.quality = quality;
    this.sayConnection();
    this.tell(quality.level);
  }

  /** Tell the others how well connected we are, when that is news. */
  private tell(level: ConnectionLevel): void {
    if (level === this.told || !this.visit.view?.can.includes("report_connection")) return;
    this.told = level;
    this.visit.send({ type: "report_connection", level }).catch(() => {
      this.told = null;
    });
  }

  private sayBlocked(): void {
    const words = t("Your browser waits for a tap before it plays sound.");
    const button = ["hear", t("Tap to hear")] as const;
    this.notes.set("sound", this.stage.blocked ? { words, icon: "speaker", tone: "warn", button } : null);
  }

  private sayDevices(): void {
    const { devices, interruptedKinds } = this.visit.media;
    const taken = interruptedKinds.has("audio");
    const none = !taken && this.failedOpen && !live(devices.microphone);
    const common = { icon: "micoff", tone: "warn", urgent: true } as const;
    const note = (words: string, button: readonly [string, string]): Note => ({ ...common, words, button });
    const takenNote = note(t("Your microphone was taken by another app."), [
      "resume_devices",
      t("Tap to continue"),
    ]);
    const silentNote = note(t("The others cannot hear you."), ["open_devices", t("Turn on the microphone")]);
    this.notes.set("taken", taken ? takenNote : null);
    this.notes.set("silent", none ? silentNote : null);
  }

  /** Who is missing, in the words of the one who waits for them. */
  private sayPeople(view: ConsultView): void {
    const interpreter =
      personOf(view, view.session?.interpreter) ??
      view.people.find((person) => person.role === "interpreter");
    if (interpreter?.seat === "present") this.interpreterSeen = true;
    const silent = interpreter !== undefined && this.stage.silentMs(interpreter.id) > SILENT_MS;
    const looked = view.search?.state === "ringing" || view.search?.state === "accepted";
    const words = looked ? "" : interpreterMissing(view, interpreter, this.interpreterSeen, silent);
    this.notes.set("interpreter", words ? { words, icon: "terp", tone: "terp", urgent: true } : null);
    const paused = t(
      "Your connection is weak. A picture is paused so that the sound stays clear. It comes back by itself.",
    );
    this.notes.set("paused", view.me.picture_paused ? { words: paused, icon: "wifi", tone: "warn" } : null);
    const own = view.sharing === view.me.participant;
    this.notes.set(
      "sharing",
      own ? { words: t("Everyone sees the window you share."), icon: "share" } : null,
    );
    const heading = maybe(this.root, "patient");
    if (heading) this.fillBar(heading, view);
  }

  private fillBar(heading: HTMLElement, view: ConsultView): void {
    const patient = view.people.find((person) => person.role === "patient");
    say(heading, patient?.name ?? view.physician_name ?? "");
    const pair = view.interpreting?.map((tag) => languageName(tag));
    const facts = [
      patient?.birth_year ? t("born {year}", { year: patient.birth_year }) : "",
      patient?.city ?? "",
      pair?.[0] && pair[1] ? t("{one} and {other}", { one: pair[0], other: pair[1] }) : "",
    ];
    say(part(this.root, "patient-facts"), facts.filter(Boolean).join(" · "));
  }

  private tick(): void {
    const { view } = this.visit;
    if (!view) return;
    this.sayPeople(view);
    const now = Date.now() + this.serverAhead;
    const since = view.started_at ? Date.parse(view.started_at) : null;
    say(part(this.root, "clock"), since === null ? "" : clockWords(now - since));
    const planned = maybe(this.root, "planned");
    if (!planned) return;
    const total = minutesBetween(new Date(view.starts_at), new Date(view.ends_at));
    say(planned, t("of {n} min", { n: total }));
    const left = (Date.parse(view.ends_at) - now) / 60_000;
    const soon = since !== null && left < NEARLY_OVER_MIN && allowed("extend", view);
    const over = t("The planned time is over. The consult goes on until you end it.");
    const words = left > 0 ? t("The planned time is nearly over.") : over;
    this.notes.set("time", soon ? { words, icon: "clock", button: ["extend", t("More time")] } : null);
  }

  close(): void {
    this.offKeys();
    window.clearInterval(this.clock);
    window.clearTimeout(this.trouble);
    this.panel?.close();
    this.signs.close();
    this.recording?.close();
    this.stage.close();
    delete this.visit.media.events.up;
    delete this.visit.media.events.interrupted;
    delete this.visit.media.events.quality;
  }
}

/** Why nobody interprets although somebody did, once the visit has begun; "" when all is well. */
export function interpreterMissing(
  view: ConsultView,
  interpreter: PersonView | undefined,
  seen: boolean,
  silent = false,
): string {
  if (view.me.role === "interpreter" || view.started_at === null) return "";
  // A patient is not told of people outside the room: whoever was seen and is not there any more has left.
  if (interpreter ? interpreter.seat === "left" : seen) return t("The interpreter has left the visit.");
  const away = interpreter?.seat === "present" && (!interpreter.connected || silent);
  const lost = interpreter?.seat === "lost" || away;
  return lost ? t("The interpreter lost the connection. Please wait a moment.") : "";
}

const OWN_CONNECTION: Readonly<Record<ConnectionLevel, () => string>> = {
  good: () => t("Connection good"),
  fair: () => t("Connection fair"),
  weak: () => t("Connection weak"),
  lost: () => t("Bringing you back"),
};
