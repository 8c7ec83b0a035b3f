/** Why a camera or microphone could not be opened, in the four ways a person can act on. */

export type DeviceFailure = "denied" | "missing" | "in_use" | "unsupported";

const MISSING = new Set(["NotFoundError", "OverconstrainedError", "DevicesNotFoundError"]);
const IN_USE = new Set(["NotReadableError", "AbortError", "TrackStartError"]);

/** The failure behind what getUserMedia threw (W3C Media Capture §10.2 and the older names of Safari and Firefox). */
export function failureOf(error: unknown): DeviceFailure {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  if (MISSING.has(name)) return "missing";
  if (IN_USE.has(name)) return "in_use";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  return "unsupported";
}
