/** Saying a sentence aloud in the page's language, or two soft notes where this device has no voice for it. */

import { playChime } from "../check/sound.ts";

type Known = Pick<SpeechSynthesisVoice, "lang" | "localService">;

/** What is read aloud stays on this device: other voices send the words to whoever makes the browser. */
export function pickVoice<V extends Known>(voices: readonly V[], tag: string): V | null {
  const [base] = tag.toLowerCase().split("-");
  const fit = voices.filter((voice) => {
    const lang = voice.lang.toLowerCase().replace("_", "-");
    // Written alike, spoken otherwise: a Cantonese voice is no Mandarin one.
    return voice.localService && lang.split("-")[0] === base && !lang.startsWith("zh-hk");
  });
  return fit.find((voice) => voice.lang.toLowerCase() === tag.toLowerCase()) ?? fit[0] ?? null;
}

function voiceFor(tag: string): SpeechSynthesisVoice | null {
  return "speechSynthesis" in window ? pickVoice(speechSynthesis.getVoices(), tag) : null;
}

export function canSpeak(tag: string): boolean {
  return voiceFor(tag) !== null;
}

/** Browsers look for their voices only when asked, and have them a moment later. */
export function wakeVoices(): void {
  if ("speechSynthesis" in window) speechSynthesis.getVoices();
}

export function hush(): void {
  if ("speechSynthesis" in window) speechSynthesis.cancel();
}

export function isSpeaking(): boolean {
  return "speechSynthesis" in window && speechSynthesis.speaking;
}

/** Say it in this language's voice; false when there is none, or `failed` is called when it would not speak. */
export function speak(words: string, tag: string, failed: () => void = () => {}): boolean {
  const voice = voiceFor(tag);
  if (!voice) return false;
  const utterance = new SpeechSynthesisUtterance(words);
  utterance.lang = tag;
  utterance.voice = voice;
  utterance.onerror = ({ error }) => {
    if (error !== "canceled" && error !== "interrupted") failed();
  };
  hush();
  speechSynthesis.speak(utterance);
  return true;
}

/** Something about the recording has changed: said, else sounded. */
export function sayAloud(words: string, tag: string, speaker: string | undefined): void {
  const sound = (): void => void playChime(speaker).catch(() => {}); // Without a tap before it: the page shows it.
  if (!speak(words, tag, sound)) sound();
}
