/** One RTCPeerConnection to the forwarder: three tracks up, fixed slots down, negotiated once. */

import type { RelayServers } from "../protocol.gen.ts";
import { trim, withStartBitrate } from "./codecs.ts";

export const PEOPLE_SLOTS = 5;
const VIDEO_KBPS_MAX = 1_500;
const LOW_LAYER_KBPS_MAX = 150;
const LOW_LAYER_LINES = 180;
const SCREEN_KBPS_MAX = 1_800;
const AUDIO_KBPS_MAX = 48;

/** What may not change once a connection is made. */
const FIXED: RTCConfiguration = { bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };

/** What goes up. `null` sends nothing at all: not a packet. */
export interface Outgoing {
  readonly audio: MediaStreamTrack | null;
  readonly camera: MediaStreamTrack | null;
  readonly screen: MediaStreamTrack | null;
}

export const NOTHING: Outgoing = { audio: null, camera: null, screen: null };

/** Low layer first: with the order reversed a starved sender keeps a useless high layer (measured). */
function cameraEncodings(lines: number): RTCRtpEncodingParameters[] {
  const low = { rid: "l", scaleResolutionDownBy: Math.max(1, lines / LOW_LAYER_LINES) };
  return [
    { ...low, maxBitrate: LOW_LAYER_KBPS_MAX * 1000 },
    { rid: "h", scaleResolutionDownBy: 1, maxBitrate: VIDEO_KBPS_MAX * 1000 },
  ];
}

export class Peer {
  readonly pc: RTCPeerConnection;
  private offered: RTCSessionDescriptionInit | undefined;
  private readonly up: { audio: RTCRtpSender; camera: RTCRtpSender; screen: RTCRtpSender };
  private readonly down: { audio: RTCRtpReceiver[]; video: RTCRtpReceiver[]; screen: RTCRtpReceiver };

  constructor(cameraLines: number) {
    this.pc = new RTCPeerConnection(FIXED);
    const sending = (kind: "audio" | "video", sendEncodings: RTCRtpEncodingParameters[]): RTCRtpSender => {
      const transceiver = this.pc.addTransceiver(kind, { direction: "sendonly", sendEncodings });
      trim(transceiver, kind);
      return transceiver.sender;
    };
    const receiving = (kind: "audio" | "video"): RTCRtpReceiver => {
      const transceiver = this.pc.addTransceiver(kind, { direction: "recvonly" });
      trim(transceiver, kind);
      return transceiver.receiver;
    };
    // The order of the m-lines is the agreement with the server: audio, camera, screen, then the slots.
    this.up = {
      audio: sending("audio", [
        { maxBitrate: AUDIO_KBPS_MAX * 1000, priority: "high", networkPriority: "high" },
      ]),
      camera: sending("video", cameraEncodings(cameraLines)),
      screen: sending("video", [{ maxBitrate: SCREEN_KBPS_MAX * 1000 }]),
    };
    const slots = Array.from({ length: PEOPLE_SLOTS });
    this.down = {
      audio: slots.map(() => receiving("audio")),
      video: slots.map(() => receiving("video")),
      screen: receiving("video"),
    };
  }

  /** The offer, without candidates: the forwarder needs none of ours. */
  async offer(): Promise<string> {
    this.offered = await this.pc.createOffer();
    return this.offered.sdp ?? "";
  }

  /** Gathering begins here, since the relays come with the answer, with credentials as fresh as it is. */
  async accept(answer: string, relays: readonly RelayServers[]): Promise<void> {
    const iceServers = relays.map(({ urls, ...credential }) => ({ ...credential, urls: [...urls] }));
    this.pc.setConfiguration({ ...FIXED, iceServers });
    await this.pc.setLocalDescription(this.offered);
    await this.pc.setRemoteDescription({ type: "answer", sdp: withStartBitrate(answer) });
    if (!answer.includes("a=simulcast:")) await this.widenSingleLayer();
  }

  /** An answer without simulcast leaves the first layer alone, which is the small one: make it the full picture. */
  private async widenSingleLayer(): Promise<void> {
    const parameters = this.up.camera.getParameters();
    const [only] = parameters.encodings;
    if (!only) return;
    only.scaleResolutionDownBy = 1;
    only.maxBitrate = VIDEO_KBPS_MAX * 1000;
    await this.up.camera.setParameters(parameters);
  }

  /** Put these tracks on the wire; replaceTrack needs no negotiation. */
  async send(tracks: Outgoing): Promise<void> {
    const swap = async (sender: RTCRtpSender, track: MediaStreamTrack | null): Promise<void> => {
      if (sender.track !== track) await sender.replaceTrack(track);
    };
    await Promise.all([
      swap(this.up.audio, tracks.audio),
      swap(this.up.camera, tracks.camera),
      swap(this.up.screen, tracks.screen),
    ]);
  }

  audioSlot(slot: number): RTCRtpReceiver | undefined {
    return this.down.audio[slot];
  }

  videoSlot(slot: number): RTCRtpReceiver | undefined {
    return this.down.video[slot];
  }

  get screenSlot(): RTCRtpReceiver {
    return this.down.screen;
  }

  close(): void {
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }
}
