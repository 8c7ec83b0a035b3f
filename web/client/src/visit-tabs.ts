/** Tabs of one browser in the same seat: a new one asks before it takes the place of the one in use. */

const ANSWER_WITHIN_MS = 100;

/** Answer other tabs that ask whether the seat is in use here; resolves to whether one of them uses it now. */
export function usedInAnotherTab(seat: string, usedHere: () => boolean): Promise<boolean> {
  if (!("BroadcastChannel" in window)) return Promise.resolve(false); // The newest tab wins, as the server has it.
  const tabs = new BroadcastChannel(seat);
  return new Promise((resolve) => {
    const alone = window.setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
    tabs.onmessage = ({ data }) => {
      if (data === "used?" && usedHere()) tabs.postMessage("used");
      if (data !== "used") return;
      window.clearTimeout(alone);
      resolve(true);
    };
    tabs.postMessage("used?");
  });
}
