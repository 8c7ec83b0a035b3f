/** One person's tile. Its picture is shown only when a frame of this person has arrived since the view named them. */

import { first, h, icon, say, show } from "../dom.ts";
import { t } from "../i18n.ts";
import { Volume } from "../media/volume.ts";
import { initials } from "../names.ts";
import { connectionOf, roleName } from "../people-words.ts";
import type { PersonView } from "../protocol.gen.ts";
import { clone, part } from "../visit-template.ts";
import { type Showing, showing } from "./seating.ts";

export class Tile {
  readonly figure: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly audio: HTMLAudioElement;
  readonly id: string;
  private readonly volume: Volume;
  private readonly self: boolean;
  /** What this person is, in the words of whoever looks. */
  private readonly role: string;
  private wanted = false;
  private seen = 0;
  private videoTrack: MediaStreamTrack | null = null;
  private audioTrack: MediaStreamTrack | null = null;

  constructor(person: PersonView, self: boolean, toPatient: boolean) {
    this.id = person.id;
    this.self = self;
    this.role = roleName(person.role, toPatient);
    this.figure = clone("tile").firstElementChild as HTMLElement;
    this.video = first("video", this.figure);
    this.audio = first("audio", this.figure);
    this.volume = new Volume(this.audio);
    this.figure.dataset.person = person.id;
    this.figure.dataset.role = person.role;
    this.figure.classList.toggle("tile-terp", person.role === "interpreter");
    this.figure.classList.toggle("tile-self", self);
    show(part(this.figure, "mark"), person.role === "interpreter" && !self);
    this.video.muted = true;
    if (self) this.figure.append(flipButton());
  }

  update(person: PersonView): void {
    const state = this.self ? (person.video_on ? "picture" : "camera_off") : showing(person);
    this.figure.dataset.slot = person.slot === null ? "" : String(person.slot);
    this.figure.dataset.showing = state;
    say(part(this.figure, "name"), this.self ? t("You") : person.name || this.role);
    say(part(this.figure, "role"), this.self || !person.name ? "" : this.role);
    say(part(this.figure, "initials"), initials(person.name));
    show(part(this.figure, "initials"), person.name !== "");
    show(part(this.figure, "muted"), !person.audio_on && person.seat === "present" && person.connected);
    const comes = state === "picture" && (this.self || person.connection_level !== "lost");
    say(
      part(this.figure, "blank-words"),
      blankWords(state === "picture" && !comes ? "lost" : state, this.self),
    );
    if (!this.self) {
      const { words, tone } = connectionOf(person);
      show(part(this.figure, "corner"), tone === "warn" && state !== "lost" && person.seat === "present");
      say(part(this.figure, "corner-words"), words);
    }
    this.want(state === "picture");
  }

  /** What arrives for this person now; null while they have no slot or there is no connection. */
  attach(video: MediaStreamTrack | null, audio: MediaStreamTrack | null): void {
    if (video !== this.videoTrack) {
      this.videoTrack = video;
      this.hide();
      this.video.srcObject = video && new MediaStream([video]);
      if (video) void this.video.play().catch(() => {}); // Muted and inline: only a newer picture interrupts it.
      if (this.wanted) this.await();
    }
    if (audio !== this.audioTrack) {
      this.audioTrack = audio;
      this.audio.srcObject = audio && new MediaStream([audio]);
      if (audio) this.volume.fadeIn(audio);
    }
  }

  /** False when the browser wants a tap before it plays sound. */
  async listen(speaker: string | undefined): Promise<boolean> {
    if (!this.audioTrack) return true;
    const audio = this.audio as HTMLAudioElement & { setSinkId?(id: string): Promise<void>; sinkId?: string };
    try {
      if (speaker && audio.sinkId !== speaker) await audio.setSinkId?.(speaker);
    } catch (error) {
      // The chosen loudspeaker is unplugged: the system's own plays.
      if (!(error instanceof DOMException)) throw error;
    }
    try {
      await audio.play();
      return true;
    } catch (error) {
      return !(error instanceof DOMException && error.name === "NotAllowedError");
    }
  }

  /** How loud this person is played, 1 is in full. */
  loud(level: number): void {
    this.volume.set(level);
  }

  mirror(on: boolean): void {
    this.video.classList.toggle("mirror", on);
  }

  speaking(on: boolean): void {
    this.figure.classList.toggle("speaking", on);
  }

  close(): void {
    this.attach(null, null);
    this.figure.remove();
  }

  private want(picture: boolean): void {
    if (picture === this.wanted) return;
    this.wanted = picture;
    if (picture) this.await();
    else this.hide();
  }

  private hide(): void {
    this.seen += 1;
    this.figure.dataset.picture = "none";
    this.video.classList.add("unseen");
    show(part(this.figure, "blank"), true);
  }

  /** Show at the first frame from now on; before it the element may still hold somebody's last picture. */
  private await(): void {
    this.hide();
    const turn = this.seen;
    const reveal = (): void => {
      if (turn !== this.seen || !this.wanted) return;
      this.figure.dataset.picture = "shown";
      this.video.classList.remove("unseen");
      show(part(this.figure, "blank"), false);
    };
    this.video.hidden = false;
    if ("requestVideoFrameCallback" in this.video) this.video.requestVideoFrameCallback(reveal);
    else (this.video as HTMLVideoElement).addEventListener("timeupdate", reveal, { once: true });
  }
}

/** A phone's other camera, on one's own picture; whether there is one decides the dock. */
function flipButton(): HTMLElement {
  const looks = { type: "button", class: "btn btn-i corner", "aria-label": t("Switch camera"), hidden: true };
  return h("button", { ...looks, "data-do": "flip" }, icon("flip"));
}

function blankWords(state: Showing, self: boolean): string {
  switch (state) {
    case "picture":
      return self ? "" : t("The picture is coming");
    case "camera_off":
      return self ? t("Your camera is off") : t("Camera off");
    case "lost":
      return t("Connection lost. The place is kept.");
    case "on_hold":
      return t("On hold. Cannot hear or see you.");
    case "waiting":
      return t("In the waiting room. Cannot hear or see you.");
    case "left":
      return t("Has left");
    case "invited":
      return t("Not here yet");
  }
}
