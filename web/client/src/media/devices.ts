/** Our own camera, microphone and shared screen: opened, switched, lost and taken back. */

import { type DeviceFailure, failureOf } from "./failure.ts";

export type Kind = "audio" | "video";
export type Facing = "user" | "environment";

export interface Opened {
  readonly audio: DeviceFailure | null;
  readonly video: DeviceFailure | null;
}

const CHOICE_KEY = "meridian.devices";
/** Two cores encode 360 lines without dropping frames (measured); more cores get 720. */
const WEAK_CORES_MAX = 2;

interface Choice {
  microphone?: string;
  camera?: string;
  speaker?: string;
}

function savedChoice(): Choice {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(CHOICE_KEY) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Choice) : {};
  } catch {
    return {}; // Storage is blocked or was written by something else: start without a choice.
  }
}

function weakMachine(): boolean {
  return (navigator.hardwareConcurrency || 4) <= WEAK_CORES_MAX;
}

/** Height of the camera's picture that we ask for. */
export function cameraLines(): number {
  return weakMachine() ? 360 : 720;
}

function pictureSize(): MediaTrackConstraints {
  const lines = cameraLines();
  const size = { width: { ideal: (lines * 16) / 9 }, height: { ideal: lines } };
  return { ...size, frameRate: { ideal: weakMachine() ? 20 : 24, max: 30 } };
}

export class Devices {
  microphone: MediaStreamTrack | null = null;
  camera: MediaStreamTrack | null = null;
  screen: MediaStreamTrack | null = null;
  facing: Facing = "user";
  choice: Choice = savedChoice();
  muted = false;
  /** The person wants to be seen; false keeps the camera's light off. */
  cameraWanted = true;
  /** Called after any track was replaced, stopped or lost. */
  onchange: () => void = () => {};
  /** Called when the system took a device away, e.g. for a phone call. */
  oninterrupted: (kind: Kind) => void = () => {};

  get supported(): boolean {
    return (
      typeof navigator.mediaDevices?.getUserMedia === "function" && typeof RTCPeerConnection === "function"
    );
  }

  /** Open what is missing. Both at once for one question of the browser; one by one when that fails. */
  async open(want: { audio: boolean; video: boolean }): Promise<Opened> {
    if (!this.supported) return { audio: "unsupported", video: want.video ? "unsupported" : null };
    const audio = want.audio && !live(this.microphone);
    const video = want.video && !live(this.camera);
    if (audio && video) {
      try {
        this.take(await this.ask({ audio: true, video: true }));
        return { audio: null, video: null };
      } catch (error) {
        // One by one, below: which of the two it was is not in the error.
        if (!(error instanceof Error || error instanceof DOMException)) throw error;
      }
    }
    const failed: { audio: DeviceFailure | null; video: DeviceFailure | null } = { audio: null, video: null };
    for (const kind of ["audio", "video"] as const) {
      if (!(kind === "audio" ? audio : video)) continue;
      try {
        this.take(await this.ask({ audio: kind === "audio", video: kind === "video" }));
      } catch (error) {
        failed[kind] = failureOf(error);
      }
    }
    return failed;
  }

  private async ask(want: { audio: boolean; video: boolean }): Promise<MediaStream> {
    const constraints = (strict: boolean): MediaStreamConstraints => ({
      audio: want.audio && {
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        ...(strict && this.choice.microphone ? { deviceId: { exact: this.choice.microphone } } : {}),
      },
      video: want.video && {
        ...pictureSize(),
        ...(strict && this.choice.camera
          ? { deviceId: { exact: this.choice.camera } }
          : { facingMode: this.facing }),
      },
    });
    try {
      return await navigator.mediaDevices.getUserMedia(constraints(true));
    } catch (error) {
      // The chosen device is unplugged: any other one is better than none.
      if (failureOf(error) === "missing" && (this.choice.camera || this.choice.microphone)) {
        return navigator.mediaDevices.getUserMedia(constraints(false));
      }
      throw error;
    }
  }

  private take(stream: MediaStream): void {
    for (const track of stream.getTracks()) {
      const kind: Kind = track.kind === "audio" ? "audio" : "video";
      const before = kind === "audio" ? this.microphone : this.camera;
      if (kind === "audio") {
        this.microphone = track;
        track.contentHint = "speech";
        track.enabled = !this.muted;
      } else {
        this.camera = track;
        this.cameraWanted = true;
      }
      this.watch(track, kind);
      before?.stop();
    }
    this.onchange();
  }

  /** iOS mutes the track of a page while a phone call has the microphone; other systems end it. */
  private watch(track: MediaStreamTrack, kind: Kind): void {
    const current = (): boolean => track === (kind === "audio" ? this.microphone : this.camera);
    track.addEventListener("ended", () => {
      if (!current()) return;
      this.oninterrupted(kind);
      this.onchange();
    });
    track.addEventListener("mute", () => {
      if (current() && track.readyState === "live" && track.enabled) this.oninterrupted(kind);
    });
    track.addEventListener("unmute", () => {
      if (current()) this.onchange();
    });
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    if (this.microphone) this.microphone.enabled = !muted;
    this.onchange();
    // Taken while nobody needed it: say so when it is needed.
    if (!muted && this.microphone?.muted) this.oninterrupted("audio");
  }

  /** Off stops the track, so that the camera's light goes out. */
  async setCamera(on: boolean): Promise<DeviceFailure | null> {
    this.cameraWanted = on;
    if (on) return (await this.open({ audio: false, video: true })).video;
    const camera = this.camera;
    this.camera = null;
    camera?.stop();
    this.onchange();
    return null;
  }

  /** A phone's other camera. The old one is let go first: phones open one at a time. */
  async flip(): Promise<DeviceFailure | null> {
    this.facing = this.facing === "user" ? "environment" : "user";
    delete this.choice.camera;
    return this.reopen("video");
  }

  async choose(kind: Kind, deviceId: string): Promise<DeviceFailure | null> {
    this.choice = { ...this.choice, [kind === "audio" ? "microphone" : "camera"]: deviceId };
    this.remember();
    if (kind === "video" && !this.cameraWanted) return null;
    return this.reopen(kind);
  }

  chooseSpeaker(deviceId: string): void {
    this.choice = { ...this.choice, speaker: deviceId };
    this.remember();
    this.onchange();
  }

  /** Open a device again after a phone call or an unplugged headset took it. */
  async reopen(kind: Kind): Promise<DeviceFailure | null> {
    const track = kind === "audio" ? this.microphone : this.camera;
    if (kind === "audio") this.microphone = null;
    else this.camera = null;
    track?.stop();
    const opened = await this.open({ audio: kind === "audio", video: kind === "video" });
    return opened[kind];
  }

  /** Ask which window to show. Null when the person changed their mind. */
  async openScreen(onended: () => void): Promise<boolean> {
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({
        video: { frameRate: { max: 15 } },
        audio: false,
      });
      const track = stream.getVideoTracks()[0];
      if (!track) return false;
      track.contentHint = "detail";
      track.addEventListener("ended", onended);
      this.screen = track;
      this.onchange();
      return true;
    } catch (error) {
      if (error instanceof DOMException) return false;
      throw error;
    }
  }

  closeScreen(): void {
    const screen = this.screen;
    this.screen = null;
    screen?.stop();
    this.onchange();
  }

  async list(): Promise<MediaDeviceInfo[]> {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((device) => device.deviceId !== "" && device.label !== "");
  }

  stop(): void {
    for (const track of [this.microphone, this.camera, this.screen]) track?.stop();
    this.microphone = this.camera = this.screen = null;
  }

  private remember(): void {
    try {
      localStorage.setItem(CHOICE_KEY, JSON.stringify(this.choice));
    } catch (error) {
      // Storage is blocked: the choice lasts as long as the page.
      if (!(error instanceof DOMException)) throw error;
    }
  }
}

export function live(track: MediaStreamTrack | null): track is MediaStreamTrack {
  return track !== null && track.readyState === "live";
}
