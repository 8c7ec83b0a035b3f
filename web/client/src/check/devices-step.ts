/** Camera, microphone and speaker: opened with one tap, seen, heard and put right where they fail. */

import { all, first, icon, say, show } from "../dom.ts";
import { t } from "../i18n.ts";
import { fillChoices } from "../media/choices.ts";
import { live, type Opened } from "../media/devices.ts";
import type { DeviceFailure } from "../media/failure.ts";
import { type LevelMeter, meter } from "../media/level.ts";
import type { CheckResult } from "../protocol.gen.ts";
import type { Visit } from "../visit-context.ts";
import { fillPhone } from "../visit-safety.ts";
import { clone, maybe, part } from "../visit-template.ts";
import { blockedWords, pathWords } from "../visit-words.ts";
import { permissionPath } from "./browser.ts";
import { playChime } from "./sound.ts";
import type { StepFrame, StepScreen } from "./step.ts";

const CHECKED_KEY = "meridian.checked";
const BARS = 16;
const METER_EVERY_MS = 80;
const SILENT_AFTER_MS = 6_000;
/** About four of sixteen bars: speech, not the noise of a fan. */
const HEARD_LEVEL = 0.25;

export function checkedBefore(): boolean {
  try {
    return localStorage.getItem(CHECKED_KEY) === "1";
  } catch {
    return false; // Storage is blocked: check again.
  }
}

export function rememberChecked(): void {
  try {
    localStorage.setItem(CHECKED_KEY, "1");
  } catch (error) {
    // Storage is blocked: the next visit checks again.
    if (!(error instanceof DOMException)) throw error;
  }
}

/** Whether the browser has a standing permission; where it cannot say, ask by a tap. */
export async function mayOpenSilently(): Promise<boolean> {
  try {
    const query = (name: string): Promise<PermissionStatus> =>
      navigator.permissions.query({ name: name as PermissionName });
    const states = await Promise.all([query("camera"), query("microphone")]);
    return states.every((status) => status.state === "granted");
  } catch {
    return false; // This browser has no such question.
  }
}

/** The code of a device's state for the staff's view of it. */
export function resultOf(failure: DeviceFailure | null): CheckResult {
  switch (failure) {
    case null:
      return "ok";
    case "denied":
    case "missing":
      return failure;
    case "in_use":
    case "unsupported":
      return "failed";
  }
}

function cameraWords(shown: boolean, failure: DeviceFailure | null): string {
  if (shown) return t("If you see yourself, the others will see you too.");
  if (failure === "in_use") return t("Another app is using the camera. Close it and try again.");
  return t("The others hear you. They do not see you.");
}

export class DeviceStep implements StepScreen {
  private readonly visit: Visit;
  private readonly frame: StepFrame;
  private readonly again: boolean;
  private soundOnly = false;
  private cameraFailure: DeviceFailure | null = null;
  private silent = false;
  private levelMeter: LevelMeter | null = null;
  private timer: number | undefined;
  private heardAt = -1;
  private meteredSince = 0;

  constructor(visit: Visit, frame: StepFrame, again: boolean) {
    this.visit = visit;
    this.frame = frame;
    this.again = again;
    if (live(visit.media.devices.microphone)) this.showDevices();
    else this.put("check-ask");
  }

  readonly actions = {
    open_devices: (): Promise<void> => this.open(this.soundOnly),
    sound_only: (): Promise<void> => this.open(true),
    open_camera: async (): Promise<void> => {
      const failure = await this.visit.media.devices.setCamera(true);
      this.cameraFailure = failure;
      this.visit.reportCheck({ camera: resultOf(failure) });
      this.showTracks();
    },
    flip: async (): Promise<void> => {
      this.failed(await this.visit.media.devices.flip());
    },
    play_sound: (): Promise<void> => this.play(),
    heard: (): void => this.heard(true),
    not_heard: (): void => this.heard(false),
    next: (): void => this.frame.done(),
  };

  close(): void {
    window.clearInterval(this.timer);
    this.levelMeter?.close();
    this.levelMeter = null;
    const video = this.frame.root.querySelector("video");
    if (video) video.srcObject = null;
  }

  /** The devices changed: a new picture, another microphone. */
  connection(): void {
    if (!maybe(this.frame.root, "camera")) return;
    this.showTracks();
    this.showPath();
  }

  private put(template: string): void {
    this.close();
    const { root } = this.frame;
    root.replaceChildren(clone(template));
    const step = maybe(root, "step");
    if (step) step.textContent = this.frame.progress;
    fillPhone(root, this.visit.boot.clinic.phone);
    root.querySelector("h1")?.focus();
  }

  private async open(soundOnly: boolean): Promise<void> {
    this.soundOnly = soundOnly;
    const { devices } = this.visit.media;
    devices.cameraWanted = !soundOnly;
    const buttons = all<HTMLButtonElement>("button", this.frame.root);
    for (const button of buttons) button.disabled = true;
    const opened = await devices.open({ audio: true, video: !soundOnly });
    for (const button of buttons) button.disabled = false;
    this.cameraFailure = opened.video;
    this.visit.reportCheck({
      camera: soundOnly ? null : resultOf(opened.video),
      microphone: resultOf(opened.audio),
    });
    if (opened.audio !== null) return this.help(opened, opened.audio);
    if (opened.video === "denied") return this.help(opened, "denied");
    this.showDevices();
  }

  private help(opened: Opened, failure: DeviceFailure): void {
    this.put(`help-${failure}`);
    const path = maybe(this.frame.root, "path");
    path?.append(clone(`path-${permissionPath(navigator.userAgent, navigator.maxTouchPoints)}`));
    show(first("[data-do=sound_only]", this.frame.root), opened.audio === null);
  }

  private showDevices(): void {
    this.put("check-devices");
    const { root } = this.frame;
    const label = this.again ? t("Back to the waiting room") : this.frame.last ? this.lastLabel() : t("Next");
    first("[data-do=next]", root).append(label, " ", icon("arrow", "flip"));
    this.showTracks();
    this.showPath();
    this.timer = window.setInterval(() => this.measure(), METER_EVERY_MS);
    const failed = (error: unknown): void => this.visit.problem(error);
    const refill = (): Promise<void> => fillChoices(part(root, "choices"), this.visit.media.devices, failed);
    root.querySelector("details")?.addEventListener("toggle", () => void refill());
  }

  private lastLabel(): string {
    const { role } = this.visit.boot;
    return role === "physician" ? t("Enter the consult") : t("Go to the waiting room");
  }

  private metered: MediaStreamTrack | null = null;

  private showTracks(): void {
    const { root } = this.frame;
    const { camera, microphone, facing } = this.visit.media.devices;
    const video = root.querySelector("video");
    const shown = live(camera) ? camera : null;
    if (video && (video.srcObject as MediaStream | null)?.getVideoTracks()[0] !== (shown ?? undefined)) {
      video.srcObject = shown && new MediaStream([shown]);
      video.classList.toggle("mirror", facing === "user");
      if (shown) void video.play().catch(() => {}); // Muted and inline: refused only while a newer picture loads.
    }
    show(part(root, "self"), shown !== null);
    show(first("[data-do=flip]", root), shown !== null && navigator.maxTouchPoints > 0);
    say(part(root, "camera-title"), shown ? t("The camera works") : t("No camera"));
    say(part(root, "camera-words"), cameraWords(shown !== null, this.cameraFailure));
    show(part(root, "camera-again"), !shown && this.cameraFailure !== null);
    first(".mark", part(root, "camera")).className = shown ? "mark good" : "mark warn";
    if (live(microphone) && microphone !== this.metered) this.meterOf(microphone);
  }

  /** The connection made here is the one the visit uses, so what is said of its way is true of the visit. */
  private showPath(): void {
    const item = part(this.frame.root, "network");
    const failed = this.visit.media.connection.state === "failed";
    const words = failed ? blockedWords(this.visit) : pathWords(this.visit.media.path);
    show(item, words !== "");
    show(first("b", item), !failed);
    first(".mark", item).className = failed ? "mark warn" : "mark good";
    say(part(item, "network-words"), words);
  }

  private meterOf(track: MediaStreamTrack): void {
    this.levelMeter?.close();
    this.metered = track;
    this.levelMeter = meter(track);
    this.heardAt = -1;
    this.silent = false;
    this.meteredSince = performance.now();
    say(part(this.frame.root, "microphone-title"), t("Say something"));
    say(part(this.frame.root, "microphone-words"), t("The bars move when we hear you."));
  }

  private measure(): void {
    const { root } = this.frame;
    const value = this.levelMeter?.read() ?? 0;
    const lit = Math.round(value * BARS);
    for (const [i, bar] of all<SVGRectElement>("[data-part=level] rect", root).entries())
      bar.classList.toggle("on", i < lit);
    const now = performance.now();
    if (value >= HEARD_LEVEL && this.heardAt < 0) {
      this.heardAt = now;
      this.microphone("ok", t("The microphone works"), t("We hear you well."), "mark good");
    } else if (this.heardAt < 0 && now - this.meteredSince > SILENT_AFTER_MS && !this.silent) {
      const more = t("We hear nothing. Speak louder, turn the microphone on, or choose another one below.");
      this.microphone("silent", t("The microphone is silent"), more, "mark warn");
    }
  }

  private microphone(result: CheckResult, title: string, words: string, mark: string): void {
    const { root } = this.frame;
    say(part(root, "microphone-title"), title);
    say(part(root, "microphone-words"), words);
    first(".mark", part(root, "microphone")).className = mark;
    this.silent = result === "silent";
    this.visit.reportCheck({ microphone: result });
  }

  private async play(): Promise<void> {
    const { root } = this.frame;
    const played = await playChime(this.visit.media.devices.choice.speaker);
    for (const name of ["heard", "not_heard"]) show(first(`[data-do=${name}]`, root), played);
    say(
      part(root, "sound-words"),
      played ? t("Did you hear two soft notes?") : t("The browser did not play the sound. Press again."),
    );
  }

  private heard(yes: boolean): void {
    const { root } = this.frame;
    this.visit.reportCheck({ speaker: yes ? "ok" : "silent" });
    const no = t(
      "Turn the volume up, switch silent mode off, or choose another speaker below. Then play it again.",
    );
    say(part(root, "sound-words"), yes ? t("Good. You will hear the others.") : no);
    if (!yes) first<HTMLDetailsElement>("details", root).open = true;
    for (const name of ["heard", "not_heard"]) show(first(`[data-do=${name}]`, root), false);
  }

  private failed(failure: DeviceFailure | null): void {
    if (failure) this.help({ audio: null, video: failure }, failure);
  }
}
