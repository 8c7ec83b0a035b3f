/** The test sound: two soft notes, made here so that no file has to travel. */

const RATE_HZ = 16_000;
const NOTE_S = 0.55;
const NOTES_HZ = [523.25, 659.25] as const;
const PEAK = 0.5;
const HEADER_BYTES = 44;

/** A mono 16-bit WAV file of the two notes, each swelling and fading so that nothing clicks. */
export function chime(): Blob {
  const perNote = Math.round(RATE_HZ * NOTE_S);
  const samples = new Int16Array(perNote * NOTES_HZ.length);
  NOTES_HZ.forEach((hz, note) => {
    for (let i = 0; i < perNote; i += 1) {
      const envelope = Math.sin((Math.PI * i) / perNote) ** 2;
      samples[note * perNote + i] = Math.round(
        32767 * PEAK * envelope * Math.sin((2 * Math.PI * hz * i) / RATE_HZ),
      );
    }
  });
  return new Blob([header(samples.byteLength), samples], { type: "audio/wav" });
}

function header(bytes: number): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const text = (at: number, word: string): void => {
    for (const [i, letter] of [...word].entries()) view.setUint8(at + i, letter.charCodeAt(0));
  };
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, RATE_HZ * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}

interface Sinkable {
  setSinkId?(id: string): Promise<void>;
}

/** Play it through the chosen loudspeaker; false when the browser would not. */
export async function playChime(speaker: string | undefined): Promise<boolean> {
  const url = URL.createObjectURL(chime());
  const audio = new Audio(url);
  audio.addEventListener("ended", () => URL.revokeObjectURL(url));
  try {
    if (speaker) await (audio as Sinkable).setSinkId?.(speaker);
    await audio.play();
    return true;
  } catch (error) {
    URL.revokeObjectURL(url);
    if (error instanceof DOMException) return false;
    throw error;
  }
}
