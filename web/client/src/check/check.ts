/** The check: devices, then (patients) where they are and whether they agree, then the waiting room. */

import { language, t } from "../i18n.ts";
import type { ConsultView } from "../protocol.gen.ts";
import type { Actions, OpenScreen, Screen, Visit } from "../visit-context.ts";
import { rememberCountry } from "../visit-safety.ts";
import { openConsent } from "./consent.ts";
import { checkedBefore, DeviceStep, mayOpenSilently, rememberChecked } from "./devices-step.ts";
import { openPlace } from "./place.ts";
import type { StepFrame, StepScreen } from "./step.ts";

type Step = "devices" | "place" | "consent";

/** The steps this person still owes, in order. The server says what is missing. */
export function stepsFor(view: ConsultView): Step[] {
  const steps: Step[] = ["devices"];
  if (view.me.must_tell_location) steps.push("place");
  if (view.me.must_consent) steps.push("consent");
  return steps;
}

/** "Step 1 of 3"; nothing when there is only one. */
function progressWords(index: number, total: number): string {
  return total > 1 ? t("Step {n} of {total}", { n: index + 1, total }) : "";
}

export const openCheck: OpenScreen = (visit, root) => new Check(visit, root, false);

/** The device step alone, over the waiting room. */
export const openRecheck: OpenScreen = (visit, root) => new Check(visit, root, true);

class Check implements Screen {
  private readonly visit: Visit;
  private readonly root: HTMLElement;
  private readonly again: boolean;
  private steps: Step[] = [];
  private index = -1;
  private step: StepScreen | null = null;
  private arriving = false;

  constructor(visit: Visit, root: HTMLElement, again: boolean) {
    this.visit = visit;
    this.root = root;
    this.again = again;
  }

  get actions(): Actions {
    return this.step?.actions ?? {};
  }

  update(view: ConsultView): void {
    if (this.index >= 0) return;
    this.steps = this.again ? ["devices"] : stepsFor(view);
    this.index = 0;
    void this.begin();
  }

  connection(): void {
    this.step?.connection?.();
  }

  close(): void {
    this.step?.close?.();
  }

  /** Staff who checked on this browser before go straight in, when the browser will not ask again. */
  private async begin(): Promise<void> {
    const { devices } = this.visit.media;
    if (!this.again && this.steps.length === 1 && checkedBefore() && (await mayOpenSilently())) {
      const opened = await devices.open({ audio: true, video: devices.cameraWanted });
      if (opened.audio === null) return this.finish();
    }
    this.openStep();
  }

  private openStep(): void {
    const step = this.steps[this.index];
    if (!step) {
      this.finish();
      return;
    }
    this.step?.close?.();
    this.root.replaceChildren();
    const frame: StepFrame = {
      root: this.root,
      progress: progressWords(this.index, this.steps.length),
      last: this.index === this.steps.length - 1,
      done: () => this.next(),
    };
    this.step = this.make(step, frame);
    this.root.querySelector("h1")?.focus();
    window.scrollTo(0, 0);
  }

  private make(step: Step, frame: StepFrame): StepScreen {
    switch (step) {
      case "devices":
        return new DeviceStep(this.visit, frame, this.again);
      case "place":
        return openPlace(this.visit, frame, (country) => rememberCountry(country));
      case "consent":
        return openConsent(this.visit, frame, language());
    }
  }

  private next(): void {
    if (this.steps[this.index] === "devices") rememberChecked();
    this.index += 1;
    this.openStep();
  }

  private finish(): void {
    if (this.again) this.visit.recheck();
    if (this.again || this.arriving) return;
    this.arriving = true;
    this.visit.send({ type: "arrive" }).catch((error: unknown) => {
      this.arriving = false;
      this.index = Math.max(0, this.steps.length - 1);
      this.openStep();
      this.visit.problem(error);
    });
  }
}
