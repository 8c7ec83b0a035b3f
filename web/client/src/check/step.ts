/** What the check and each of its steps know of each other. */

import type { Actions } from "../visit-context.ts";

/** One step on the page; it says itself when it is done. */
export interface StepScreen {
  readonly actions: Actions;
  connection?(): void;
  close?(): void;
}

/** What a step needs to know of the whole: its number, what its button says, and where to go on. */
export interface StepFrame {
  readonly root: HTMLElement;
  readonly progress: string;
  readonly last: boolean;
  done(): void;
}
