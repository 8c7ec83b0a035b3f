/** The level of our own microphone, for the check's bars and the "you are muted" hint. Never used for playback. */

export interface LevelMeter {
  /** 0 (quiet) to 1 (loud), on a decibel scale. */
  read(): number;
  close(): void;
}

const FLOOR_DB = -60;
const CEILING_DB = -12;

/** -60 dB and below is 0, -12 dB and above is 1. */
export function scale(rms: number): number {
  const db = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}

export function meter(track: MediaStreamTrack): LevelMeter {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  const source = context.createMediaStreamSource(new MediaStream([track]));
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    read() {
      if (context.state === "suspended") void context.resume();
      analyser.getFloatTimeDomainData(samples);
      let sum = 0;
      for (const sample of samples) sum += sample * sample;
      return scale(Math.sqrt(sum / samples.length));
    },
    close() {
      source.disconnect();
      void context.close();
    },
  };
}
