/** Which browser this is, as far as the way to its camera permission differs. */

import { surroundingApp } from "../browser.ts";

export type PermissionPath =
  | "ios_safari"
  | "ios_other"
  | "android"
  | "firefox"
  | "safari"
  | "desktop"
  | "in_app";

/** By the user agent string and the number of touch points: an iPad calls itself a Macintosh. */
export function permissionPath(agent: string, touchPoints: number): PermissionPath {
  const ios = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1);
  if (surroundingApp(agent) !== null) return "in_app";
  if (ios) return /CriOS|FxiOS|EdgiOS|OPiOS/.test(agent) ? "ios_other" : "ios_safari";
  if (/Android/.test(agent)) return /Firefox/.test(agent) ? "firefox" : "android";
  if (/Firefox\//.test(agent)) return "firefox";
  if (/Safari\//.test(agent) && !/Chrome|Chromium|Edg/.test(agent)) return "safari";
  return "desktop";
}
