/** What is said about a person wherever they are shown: their part, their devices, their connection. */

import { t } from "./i18n.ts";
import type { BoardPerson, CheckResult, DeviceCheck, PersonView, Role } from "./protocol.gen.ts";

export type Tone = "good" | "warn" | "stop" | "terp" | "act" | "";

export interface Said {
  readonly words: string;
  readonly tone: Tone;
  readonly icon: string;
}

/** What a person is in a consult. Towards patients a physician is the doctor. */
export function roleName(role: Role, toPatient = false): string {
  switch (role) {
    case "patient":
      return t("Patient");
    case "companion":
      return t("Companion");
    case "physician":
      return toPatient ? t("Doctor") : t("Physician");
    case "interpreter":
      return t("Interpreter");
    case "coordinator":
      return t("Coordinator");
  }
}

/** A person's connection now, in plain words. */
export function connectionOf(person: BoardPerson | PersonView): Said {
  if (!person.connected || person.seat === "lost" || person.connection_level === "lost")
    return { words: t("Connection lost"), tone: "stop", icon: "wifi" };
  if (person.connection_level === "weak") return { words: t("Weak connection"), tone: "warn", icon: "wifi" };
  if (person.connection_level === "fair") return { words: t("Fair connection"), tone: "warn", icon: "wifi" };
  return { words: t("Good connection"), tone: "good", icon: "wifi" };
}

const NOT_CHECKED = (): Said => ({ words: t("Not checked yet"), tone: "", icon: "clock" });

/** The device check in one to three lines; what is wrong comes first. */
export function checkLines(check: DeviceCheck | null): Said[] {
  const lines: Said[] = [];
  if (!check) return [NOT_CHECKED()];
  if (check.microphone && check.microphone !== "ok")
    lines.push({ words: microphoneFault(check.microphone), tone: "stop", icon: "micoff" });
  if (check.camera && check.camera !== "ok")
    lines.push({ words: cameraFault(check.camera), tone: "warn", icon: "camoff" });
  if (check.speaker && check.speaker !== "ok")
    lines.push({ words: t("Hears nothing"), tone: "stop", icon: "speaker" });
  if (check.network && check.network !== "ok")
    lines.push({ words: t("Network blocks the call"), tone: "stop", icon: "wifi" });
  if (lines.length > 0) return lines;
  if (!check.microphone) return [NOT_CHECKED()];
  const words = check.camera ? t("Camera, sound") : t("Sound, no camera");
  return [{ words, tone: "good", icon: "check" }];
}

/** The device check and the connection now; a network that carries no call is not called good. */
export function readinessOf(person: BoardPerson): Said[] {
  const connection = connectionOf(person);
  const blocked = person.device_check?.network === "failed" && connection.tone === "good";
  return [...checkLines(person.device_check), ...(blocked ? [] : [connection])];
}

function microphoneFault(result: Exclude<CheckResult, "ok">): string {
  switch (result) {
    case "denied":
      return t("Microphone blocked");
    case "missing":
      return t("No microphone");
    case "silent":
      return t("Microphone is silent");
    case "failed":
      return t("Microphone does not work");
  }
}

function cameraFault(result: Exclude<CheckResult, "ok">): string {
  switch (result) {
    case "denied":
      return t("Camera blocked");
    case "missing":
      return t("No camera");
    case "silent":
    case "failed":
      return t("Camera does not work");
  }
}
