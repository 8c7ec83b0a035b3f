/** Codec preferences that keep our offer under 24 KB: one video codec everybody has, one audio codec. */

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

/** Chromium's first guess is 300 kbit/s, too little for the high layer, and without it nothing probes for more. */
const START_KBPS = 700;

/** The answer with a better first guess for what we send (libwebrtc's own parameter; other browsers ignore it). */
export function withStartBitrate(answer: string): string {
  const sections = answer.split(/(?=^m=)/m);
  const ours = (section: string): boolean => section.startsWith("m=video") && /^a=recvonly/m.test(section);
  return sections.map((section) => (ours(section) ? started(section) : section)).join("");
}

function started(section: string): string {
  const codec = /^a=rtpmap:(\d+) VP8\/90000\r\n/im.exec(section);
  if (!codec?.[1] || section.includes(`a=fmtp:${codec[1]} `)) return section;
  return section.replace(codec[0], `${codec[0]}a=fmtp:${codec[1]} x-google-start-bitrate=${START_KBPS}\r\n`);
}
