/** Codec preferences that keep our offer small: one video codec everybody has, one audio codec. */

export const OFFER_BYTES_MAX = 24_000;

const WANTED = {
  audio: new Set(["audio/opus", "audio/red"]),
  video: new Set(["video/vp8", "video/rtx"]),
} as const;

type Codec = { readonly mimeType: string };

/**
 * The codecs to offer out of those the browser has, in its order; empty when the wanted codec is missing,
 * which means "leave the browser's own list".
 */
export function preferred<C extends Codec>(kind: "audio" | "video", codecs: readonly C[]): C[] {
  const kept = codecs.filter((codec) => WANTED[kind].has(codec.mimeType.toLowerCase()));
  const main = kind === "audio" ? "audio/opus" : "video/vp8";
  return kept.some((codec) => codec.mimeType.toLowerCase() === main) ? kept : [];
}

/** Trim one transceiver. A browser that refuses keeps its own list: the offer is larger and still valid. */
export function trim(transceiver: RTCRtpTransceiver, kind: "audio" | "video"): void {
  const known = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const codecs = preferred(kind, known);
  if (!codecs.length || !("setCodecPreferences" in transceiver)) return;
  try {
    transceiver.setCodecPreferences(codecs);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}
