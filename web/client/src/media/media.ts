/** One person's media: what goes up and what may be expected down, decided by the view and nothing else. */

import type { ConsultView } from "../protocol.gen.ts";
import { Connection, type LinkState, type Signalling } from "./connection.ts";
import { Devices, type Kind, live } from "./devices.ts";
import { NOTHING, type Outgoing, type Peer } from "./peer.ts";
import { type Path, pathOf, type Quality, QualityMeter } from "./stats.ts";

const QUALITY_EVERY_MS = 5_000;
/** The browser names the way it has chosen a moment after it is connected. */
const PATH_AGAIN_MS = 300;

export interface MediaEvents {
  /** A connection is up; attach its slots. */
  up(peer: Peer): void;
  state(state: LinkState): void;
  /** Our own tracks changed: picture, mute, or a device that came or went. */
  devices(): void;
  interrupted(kind: Kind): void;
  quality(quality: Quality): void;
}

/** Whether this person may be heard and seen now: admitted, not on hold, not separated. */
export function mayPublish(view: ConsultView): boolean {
  return view.screen === "room" && view.me.seat === "present";
}

/** The audio slots that carry packets when all is well: connected, unmuted people who are not off for us. */
export function expectedSlots(view: ConsultView): Set<number> {
  const slots = new Set<number>();
  if (!mayPublish(view)) return slots;
  const off = new Set(view.hearing.filter((one) => one.level === "off").map((one) => one.participant));
  for (const person of view.people) {
    if (off.has(person.id)) continue;
    if (person.slot !== null && person.seat === "present" && person.connected && person.audio_on)
      slots.add(person.slot);
  }
  return slots;
}

export class Media {
  readonly devices = new Devices();
  readonly connection: Connection;
  events: Partial<MediaEvents> = {};
  interruptedKinds = new Set<Kind>();
  /** Which way our packets take now. */
  path: Path | null = null;
  private publishing = false;
  private readonly meter = new QualityMeter();
  private timer: number | undefined;

  constructor(signalling: Signalling) {
    this.connection = new Connection(signalling, {
      up: (peer) => {
        window.meridianMedia = peer.pc;
        this.events.up?.(peer);
        void this.findPath(peer);
      },
      state: (state) => {
        if (state !== "connected") this.path = null;
        this.events.state?.(state);
      },
    });
    this.devices.onchange = () => this.devicesChanged();
    this.devices.oninterrupted = (kind) => {
      this.interruptedKinds.add(kind);
      this.events.interrupted?.(kind);
    };
  }

  /** Connect, with nothing sent; admission later is only a track put on a sender. */
  start(): void {
    this.connection.start();
    // The same listener twice is one listener.
    navigator.mediaDevices?.addEventListener?.("devicechange", this.replugged);
    this.timer ??= window.setInterval(() => void this.measure(), QUALITY_EVERY_MS);
  }

  stop(): void {
    this.connection.stop();
    this.devices.stop();
    window.clearInterval(this.timer);
    this.timer = undefined;
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.replugged);
    window.meridianMedia = null;
  }

  apply(view: ConsultView): void {
    this.publishing = mayPublish(view);
    this.connection.expect(expectedSlots(view));
    void this.connection.send(this.outgoing());
  }

  /** One tap after a phone call: open again what was taken. */
  async resume(): Promise<void> {
    for (const kind of this.interruptedKinds) await this.devices.reopen(kind);
  }

  /** The page is looked at again: a phone may have taken the camera meanwhile, and gives it back unasked. */
  awoke(): void {
    const { devices } = this;
    if (this.interruptedKinds.has("video") && !live(devices.camera) && devices.cameraWanted)
      void devices.reopen("video");
  }

  private outgoing(): Outgoing {
    if (!this.publishing) return NOTHING;
    const { microphone, camera, screen } = this.devices;
    return {
      audio: live(microphone) ? microphone : null,
      camera: live(camera) ? camera : null,
      screen: live(screen) ? screen : null,
    };
  }

  private devicesChanged(): void {
    if (live(this.devices.microphone) && !this.devices.microphone.muted)
      this.interruptedKinds.delete("audio");
    if (live(this.devices.camera) && !this.devices.camera.muted) this.interruptedKinds.delete("video");
    void this.connection.send(this.outgoing());
    this.events.devices?.();
  }

  /** A headset was unplugged while it was our microphone: take whatever the system offers now. */
  private readonly replugged = (): void => {
    const { microphone } = this.devices;
    if (microphone && !live(microphone) && !this.interruptedKinds.has("audio"))
      void this.devices.reopen("audio");
    this.events.devices?.();
  };

  private async measure(): Promise<void> {
    const peer = this.connection.current;
    if (!peer || this.connection.state !== "connected") return;
    this.events.quality?.(await this.meter.read(peer.pc));
    await this.findPath(peer);
  }

  /** A better way may be found after the first one. */
  private async findPath(peer: Peer): Promise<void> {
    const path = await pathOf(peer.pc);
    if (peer !== this.connection.current) return;
    if (path === null && this.connection.state === "connected")
      window.setTimeout(() => void this.findPath(peer), PATH_AGAIN_MS);
    if (path === this.path) return;
    this.path = path;
    this.events.state?.(this.connection.state);
  }
}

declare global {
  interface Window {
    /** The connection in use, for tests to read its statistics. Nothing secret is in it; changing it is a fault. */
    meridianMedia?: RTCPeerConnection | null;
  }
}
