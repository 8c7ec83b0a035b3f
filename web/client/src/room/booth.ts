/** The interpreter's own controls: into which language, how, one-tap signals, the case, the introduction. */

import { h, icon, redraw } from "../dom.ts";
import { t } from "../i18n.ts";
import { live } from "../media/devices.ts";
import { type LevelMeter, meter } from "../media/level.ts";
import { languageName } from "../names.ts";
import type { ConsultView, SessionView, Side, SignalKind } from "../protocol.gen.ts";
import type { Actions, Visit } from "../visit-context.ts";
import { Direction } from "./direction.ts";
import { introduction, SIGNAL_ICONS, SIGNALS, sentencesIn, signalName } from "./interpreting-words.ts";
import type { Stage } from "./stage.ts";

const LISTEN_EVERY_MS = 100;
/** On the scale of media/level.ts: about -42 dB at one's own microphone. */
const OWN_SPEECH = 0.38;

export class Booth {
  private readonly visit: Visit;
  private readonly bar: HTMLElement;
  private readonly side: HTMLElement;
  private readonly stage: Stage;
  private readonly timer: number;
  private readonly offKeys: () => void;
  private direction = new Direction();
  private follows = true;
  private told: Side | null | undefined;
  private meter: LevelMeter | null = null;
  private metered: MediaStreamTrack | null = null;

  constructor(visit: Visit, bar: HTMLElement, side: HTMLElement, stage: Stage) {
    this.visit = visit;
    this.bar = bar;
    this.side = side;
    this.stage = stage;
    this.timer = window.setInterval(() => this.listen(), LISTEN_EVERY_MS);
    const onkeydown = (event: KeyboardEvent): void => this.key(event);
    document.addEventListener("keydown", onkeydown);
    this.offKeys = () => document.removeEventListener("keydown", onkeydown);
  }

  readonly actions: Actions = {
    set_mode: (button) => {
      const mode = button.value === "simultaneous" ? "simultaneous" : "consecutive";
      return this.send({ type: "set_mode", mode });
    },
    swap: () => this.swap(),
    follow_speaker: () => {
      this.follows = true;
      this.draw();
    },
    give_signal: (button) => this.signal(button.value as SignalKind),
    end_introduction: () => this.send({ type: "end_introduction" }),
    end_briefing: () => this.send({ type: "end_briefing" }),
    take_over: () => this.send({ type: "take_over" }),
  };

  private async send(message: Parameters<Visit["send"]>[0]): Promise<void> {
    await this.visit.send(message);
  }

  private get session(): SessionView | null {
    return this.visit.view?.session ?? null;
  }

  /** Whether this page is the one that interprets; another interpreter listens in. */
  private get interprets(): boolean {
    return this.session?.interpreter === this.visit.view?.me.participant;
  }

  update(_view: ConsultView): void {
    this.draw();
    this.listen();
  }

  private signal(kind: SignalKind): Promise<void> {
    return this.send({ type: "give_signal", kind });
  }

  private key(event: KeyboardEvent): void {
    const { target } = event;
    const typing = target instanceof HTMLElement && target.closest("input, textarea, select, dialog");
    const pressing = target instanceof HTMLElement && target.closest("button");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !this.interprets) return;
    const kind = SIGNALS[Number(event.key) - 1];
    if (event.key === " " && !pressing && this.session?.mode === "simultaneous") void this.swap();
    else if (kind && this.visit.view?.can.includes("give_signal"))
      this.signal(kind).catch((error: unknown) => this.visit.problem(error));
    else return;
    event.preventDefault();
  }

  /** By hand: the other language, until told to follow again. */
  private swap(): void {
    this.follows = false;
    this.direction.into = this.session?.into === "patient" ? "clinician" : "patient";
    this.tell(this.direction.into);
    this.draw();
  }

  private listen(): void {
    const { view } = this.visit;
    const session = this.session;
    if (!view || !session || !this.interprets || session.mode !== "simultaneous") {
      this.direction = new Direction();
      this.follows = true;
      this.told = undefined;
      this.own(null);
      return;
    }
    const { devices } = this.visit.media;
    this.own(live(devices.microphone) && !devices.muted ? devices.microphone : null);
    if (!this.follows) return;
    const speaks = (guests: boolean): boolean =>
      view.people.some(
        (person) =>
          isGuest(person.role) === guests && person.role !== "interpreter" && this.stage.loud(person.id),
      );
    const own = (this.meter?.read() ?? 0) > OWN_SPEECH;
    const levels = { patient: speaks(true), clinician: speaks(false), own };
    this.tell(this.direction.step(levels, performance.now()));
  }

  /** One's own microphone is listened to only while it decides the direction. */
  private own(track: MediaStreamTrack | null): void {
    if (track === this.metered) return;
    this.meter?.close();
    this.metered = track;
    this.meter = track && meter(track);
  }

  private tell(into: Side): void {
    if (into === this.told) return;
    this.told = into;
    this.visit.send({ type: "set_direction", into }).catch(() => {
      this.told = undefined;
    });
  }

  private draw(): void {
    const { view } = this.visit;
    if (!view) return;
    const session = this.session;
    this.bar.hidden = !session;
    redraw(this.bar, ...(session ? this.drawBar(view, session) : []));
    redraw(this.side, ...this.drawSide(view));
  }

  private drawBar(view: ConsultView, session: SessionView): HTMLElement[] {
    const [patient = "", clinician = ""] = (view.interpreting ?? view.search?.languages ?? []).map((tag) =>
      languageName(tag),
    );
    if (!this.interprets) return this.drawIncoming(view);
    const simultaneous = session.mode === "simultaneous";
    const into = session.into === "clinician" ? clinician : patient;
    const from = session.into === "clinician" ? patient : clinician;
    const words = simultaneous
      ? [language("mic", t("You speak"), into, "into"), language("ear", t("You listen to"), from, "from")]
      : [language("swap", t("You interpret between"), `${patient} · ${clinician}`, "pair")];
    const toggle = simultaneous && [
      h(
        "button",
        { type: "button", class: "btn btn-act btn-swap", "data-do": "swap", "aria-keyshortcuts": "Space" },
        icon("swap"),
        t("Swap"),
        " ",
        h("kbd", {}, t("Space")),
      ),
      h(
        "button",
        {
          type: "button",
          class: "btn btn-s",
          "data-do": "follow_speaker",
          "aria-pressed": String(this.follows),
        },
        t("Follow who speaks"),
      ),
    ];
    return [...words, modes(view, session), ...(toggle || [])];
  }

  private drawIncoming(view: ConsultView): HTMLElement[] {
    return [
      language("ear", t("You listen in"), t("Nobody hears you yet"), "into"),
      h(
        "button",
        {
          type: "button",
          class: "btn btn-act",
          "data-do": "take_over",
          hidden: !view.can.includes("take_over"),
        },
        icon("swap"),
        t("Take over now"),
      ),
    ];
  }

  private drawSide(view: ConsultView): HTMLElement[] {
    const session = this.session;
    const parts: HTMLElement[] = [];
    if (session?.stage === "briefing" && this.interprets) parts.push(briefing(view));
    if (session?.stage === "introduction" && this.interprets) parts.push(script(this.visit, view, session));
    if (session?.stage === "interpreting" && this.interprets) parts.push(signals(view));
    if (view.case) parts.push(caseCard(view));
    return parts;
  }

  close(): void {
    window.clearInterval(this.timer);
    this.offKeys();
    this.own(null);
  }
}

function isGuest(role: string): boolean {
  return role === "patient" || role === "companion";
}

function language(sign: string, label: string, name: string, key: string): HTMLElement {
  return h(
    "div",
    { class: "row grow", "data-key": key },
    icon(sign),
    h(
      "p",
      { class: "grow" },
      h("span", { class: "small dim" }, label),
      h("b", { class: "big", "data-part": key }, name),
    ),
  );
}

function modes(view: ConsultView, session: SessionView): HTMLElement {
  const choice = (mode: SessionView["mode"], label: string): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        "data-do": "set_mode",
        value: mode,
        "data-key": `mode-${mode}`,
        "aria-pressed": String(session.mode === mode),
        disabled: !view.can.includes("set_mode"),
      },
      label,
    );
  return h(
    "div",
    { class: "seg", role: "group", "aria-label": t("How you interpret") },
    choice("consecutive", t("Consecutive")),
    choice("simultaneous", t("Simultaneous")),
  );
}

function signals(view: ConsultView): HTMLElement {
  const button = (kind: SignalKind, at: number): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        class: "btn",
        "data-do": "give_signal",
        value: kind,
        "data-key": `signal-${kind}`,
        "aria-keyshortcuts": String(at + 1),
        disabled: !view.can.includes("give_signal"),
      },
      icon(SIGNAL_ICONS[kind]),
      h("span", {}, signalName(kind), " ", h("kbd", {}, String(at + 1))),
    );
  return h(
    "section",
    { class: "stack stack-s" },
    h("h2", {}, t("Say it with one tap")),
    h("div", { class: "signals" }, ...SIGNALS.map(button)),
    h("p", { class: "small dim" }, t("Everybody reads it in their own language.")),
  );
}

function briefing(view: ConsultView): HTMLElement {
  return h(
    "section",
    { class: "stack stack-s" },
    h("h2", {}, t("Briefing")),
    h(
      "p",
      { class: "note note-terp" },
      icon("lock"),
      h("span", { class: "grow" }, t("Only the physician hears you.")),
    ),
    h(
      "ul",
      { class: "dots" },
      h("li", {}, t("What is to be decided today?")),
      h("li", {}, t("Who is with the patient?")),
      h("li", {}, t("Is there bad news, or anything sensitive?")),
      h("li", {}, t("Numbers, names of drugs, pictures?")),
    ),
    h(
      "button",
      {
        type: "button",
        class: "btn btn-act",
        "data-do": "end_briefing",
        "data-key": "end-briefing",
        hidden: !view.can.includes("end_briefing"),
      },
      t("I am ready"),
    ),
  );
}

/** The introduction in both languages, the patient's and the clinician's. */
function script(visit: Visit, view: ConsultView, session: SessionView): HTMLElement {
  const languages = view.search?.languages ?? view.interpreting ?? [];
  const recorded = view.case?.recorded ?? false;
  const said = languages.map((language) => {
    const name = languageName(languages[0] ?? "", language);
    const lines = introduction(
      session.number,
      name,
      recorded,
      sentencesIn(visit.boot.introductions, language),
    );
    return h(
      "ol",
      { class: "script", lang: language, dir: "auto", "data-script": language },
      ...lines.map((line) => h("li", { dir: "auto" }, line)),
    );
  });
  return h(
    "section",
    { class: "stack stack-s" },
    h("h2", {}, t("Introduce yourself to both")),
    ...said,
    h("p", { class: "small dim" }, t("The others read this in their own language while you say it.")),
    h(
      "button",
      {
        type: "button",
        class: "btn btn-act",
        "data-do": "end_introduction",
        "data-key": "end-introduction",
        hidden: !view.can.includes("end_introduction"),
      },
      t("I have introduced myself"),
    ),
  );
}

function caseCard(view: ConsultView): HTMLElement {
  return h(
    "section",
    { class: "stack stack-s" },
    h("h2", {}, t("The case")),
    h("p", { class: "case" }, view.case?.text ?? t("The physician has noted nothing. Ask in the briefing.")),
    h("p", { class: "small dim" }, t("Planned: {n} min", { n: view.case?.minutes ?? 0 })),
  );
}
