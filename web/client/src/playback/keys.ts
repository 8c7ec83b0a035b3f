/** The keyboard on the recording's page. */

export type KeyAction = "toggle" | "back" | "on" | "start" | "end" | "frame_back" | "frame_on";

/** What a key does. `within`: the focus is in the player; letters and signs work only there. */
export function actionOf(key: string, within: boolean): KeyAction | null {
  switch (key) {
    case " ":
      return "toggle";
    // The time line runs from left to right in every language, and so do its keys.
    case "ArrowLeft":
      return "back";
    case "ArrowRight":
      return "on";
    case "Home":
      return within ? "start" : null;
    case "End":
      return within ? "end" : null;
    case ",":
      return within ? "frame_back" : null;
    case ".":
      return within ? "frame_on" : null;
    default:
      return null;
  }
}

const OWN_KEYS = "input:not(#seek), select, textarea, [contenteditable]";
const OWN_SPACE = "a, button, summary";

/** Call `act` for keys that are meant for the player, and for none that an input or a button wants itself. */
export function listenToKeys(player: HTMLElement, act: (action: KeyAction) => void): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    const within = player.contains(target);
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (!within && target !== document.body && target.id !== "main") return;
    if (target.closest(OWN_KEYS)) return;
    if (event.key === " " && target.closest(OWN_SPACE)) return;
    const action = actionOf(event.key, within);
    if (!action) return;
    event.preventDefault();
    act(action);
  });
}
