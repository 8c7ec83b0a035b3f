/** The physician's part: call an interpreter, see who is rung, brief them, and what if nobody answers. */

import { bdi, h, icon, redraw, say } from "../dom.ts";
import { t, tn } from "../i18n.ts";
import { languageName } from "../names.ts";
import type { ConsultView, SearchView, SessionView, Verb } from "../protocol.gen.ts";
import { type Actions, personOf, type Visit } from "../visit-context.ts";

const TICK_MS = 1_000;

interface Preferences {
  language: string;
  gender: "" | "female" | "male";
  audio: boolean;
  text: string;
}

export class Asking {
  private readonly visit: Visit;
  private readonly place: HTMLElement;
  private readonly tick: number;
  private drawn = "";
  private readonly wanted: Preferences = { language: "", gender: "", audio: false, text: "" };

  constructor(visit: Visit, place: HTMLElement) {
    this.visit = visit;
    this.place = place;
    this.tick = window.setInterval(() => this.count(), TICK_MS);
    place.addEventListener("input", (event) => this.note(event));
  }

  readonly actions: Actions = {
    request_interpreter: () => this.ask(),
    ring_again: () => this.send({ type: "ring_again" }),
    ring_audio: () => this.send({ type: "ring_again", audio_only: true }),
    use_phone_line: () => this.send({ type: "use_phone_line" }),
    close_request: () => this.send({ type: "close_request" }),
    another_time: () => this.send({ type: "close_request", another_time: true }),
    begin_briefing: () => this.send({ type: "begin_briefing" }),
    end_briefing: () => this.send({ type: "end_briefing" }),
    end_introduction: () => this.send({ type: "end_introduction" }),
  };

  private async send(message: Parameters<Visit["send"]>[0]): Promise<void> {
    await this.visit.send(message);
  }

  /** One click: what was booked, unless something was chosen beside it. */
  private async ask(): Promise<void> {
    const { language, gender, audio, text } = this.wanted;
    await this.send({
      type: "request_interpreter",
      language: language || null,
      gender: gender || null,
      mode: audio ? "audio" : "video",
      case: text.trim() || null,
    });
  }

  private note(event: Event): void {
    const field = event.target;
    if (field instanceof HTMLSelectElement && field.name === "gender")
      this.wanted.gender = field.value as Preferences["gender"];
    if (field instanceof HTMLInputElement && field.name === "audio") this.wanted.audio = field.checked;
    if (field instanceof HTMLInputElement && field.name === "language")
      this.wanted.language = field.value.trim();
    if (field instanceof HTMLTextAreaElement) this.wanted.text = field.value;
  }

  update(_view: ConsultView): void {
    this.draw();
  }

  private draw(): void {
    const { view } = this.visit;
    if (!view) return;
    const typing = this.place.contains(document.activeElement) && isField(document.activeElement);
    if (typing) return; // What is being written is not drawn over.
    const { search, session, can, interpreting } = view;
    const key = JSON.stringify([search, session, can, interpreting]);
    if (key === this.drawn) return; // Nor is what is being read or unfolded.
    this.drawn = key;
    redraw(this.place, ...this.parts(view));
  }

  /** Only the seconds: buttons drawn anew would lose a click. */
  private count(): void {
    const search = this.visit.view?.search;
    const place = this.place.querySelector("[data-part=gone]");
    if (search && place) say(place, gone(search));
  }

  private parts(view: ConsultView): HTMLElement[] {
    const { search, session } = view;
    const looking = search && search.state !== "connected" && search.state !== "closed";
    const parts: HTMLElement[] = [];
    if (looking) parts.push(this.searching(view, search));
    if (session) parts.push(present(view, session));
    if (!looking && view.can.includes("request_interpreter")) parts.push(this.form(view, session));
    return parts;
  }

  private searching(view: ConsultView, search: SearchView): HTMLElement {
    const facts = h(
      "dl",
      { class: "dl small" },
      h("dt", {}, t("Language")),
      h("dd", {}, languageName(search.languages[0] ?? "")),
      h("dt", {}, t("Kind")),
      h("dd", {}, search.mode === "audio" ? t("Voice only") : t("Video")),
      search.gender && h("dt", {}, t("Preference")),
      search.gender &&
        h("dd", {}, search.gender === "female" ? t("Woman, if possible") : t("Man, if possible")),
    );
    return h(
      "section",
      { class: "stack stack-s", "data-search": search.state },
      h("h2", {}, t("Interpreter")),
      h("p", { class: "tag terp" }, icon("terp"), STATES[search.state]()),
      search.state === "ringing" &&
        h(
          "p",
          { class: "small num" },
          h("span", { "data-part": "gone" }, gone(search)),
          " · ",
          tn("{n} person is called", "{n} people are called", search.rung),
        ),
      search.phone_line && h("p", { class: "big-s strong" }, bdi(search.phone_line, { dir: "ltr" })),
      facts,
      h("div", { class: "row wrap g1" }, ...this.choices(view, search)),
    );
  }

  private choices(view: ConsultView, search: SearchView): (HTMLElement | false)[] {
    const may = (verb: Verb): boolean => view.can.includes(verb);
    const stuck = search.state === "unanswered";
    return [
      may("ring_again") &&
        search.state !== "ringing" &&
        command("ring_again", t("Keep trying"), "btn btn-s btn-act"),
      may("ring_again") && search.mode === "video" && command("ring_audio", t("Voice only is fine")),
      may("use_phone_line") && stuck && command("use_phone_line", t("Telephone interpreter")),
      may("close_request") && stuck && command("another_time", t("Another time")),
      may("close_request") && command("close_request", t("Stop calling")),
    ];
  }

  private form(view: ConsultView, session: SessionView | null): HTMLElement {
    const language =
      view.interpreting?.[0] ?? view.people.find((one) => one.role === "patient")?.language ?? "";
    const again = view.search?.state === "closed" ? CLOSED[view.search.reason ?? "cancelled"]() : "";
    return h(
      "section",
      { class: "stack stack-s" },
      h("h2", {}, session ? t("Second interpreter") : t("Interpreter")),
      again && h("p", { class: "small dim" }, again),
      h(
        "button",
        { type: "button", class: "btn btn-act", "data-do": "request_interpreter", "data-key": "ask" },
        icon("terp"),
        session
          ? t("Call another interpreter to take over")
          : t("Call an interpreter for {language}", { language: languageName(language) }),
      ),
      h(
        "details",
        {},
        h("summary", {}, t("Preferences and a note")),
        h(
          "div",
          { class: "stack stack-s" },
          field(t("Interpreter"), gender(this.wanted.gender)),
          h(
            "label",
            { class: "row" },
            h("input", { type: "checkbox", name: "audio", checked: this.wanted.audio }),
            " ",
            t("Voice only is fine"),
          ),
          field(
            t("For the interpreter: what it is about, difficult words"),
            h("textarea", { name: "case", rows: "3", maxlength: "600" }, this.wanted.text),
          ),
        ),
      ),
    );
  }

  close(): void {
    window.clearInterval(this.tick);
  }
}

/** The interpreter who is here, and where they are with us. */
function present(view: ConsultView, session: SessionView): HTMLElement {
  const person = personOf(view, session.interpreter);
  const may = (verb: Verb): boolean => view.can.includes(verb);
  const number = session.number && t("Interpreter {number}", { number: session.number });
  return h(
    "section",
    { class: "stack stack-s", "data-stage": session.stage },
    h("h2", {}, STAGES[session.stage]()),
    h("p", {}, h("b", {}, bdi(person?.name ?? "")), " ", number && h("span", { class: "small dim" }, number)),
    session.stage === "briefing" &&
      h(
        "ul",
        { class: "dots" },
        h("li", {}, t("Your name and what you want to decide today")),
        h("li", {}, t("Who is with the patient")),
        h("li", {}, t("Sensitive points or bad news")),
        h("li", {}, t("Numbers, names of drugs, pictures you will show")),
      ),
    may("end_briefing") && command("end_briefing", t("Bring the patient in"), "btn btn-act"),
    session.stage === "introduction" &&
      h("p", { class: "small dim" }, t("The interpreter introduces themselves to both of you.")),
    may("begin_briefing") && command("begin_briefing", t("Speak in private")),
  );
}

function command(name: string, label: string, look = "btn btn-s"): HTMLElement {
  return h("button", { type: "button", class: look, "data-do": name, "data-key": name }, label);
}

function field(label: string, input: HTMLElement): HTMLElement {
  return h("label", { class: "field" }, h("span", { class: "small" }, label), input);
}

function gender(chosen: Preferences["gender"]): HTMLElement {
  const option = (value: string, label: string): HTMLElement =>
    h("option", { value, selected: value === chosen }, label);
  return h(
    "select",
    { name: "gender" },
    option("", t("No preference")),
    option("female", t("Woman, if possible")),
    option("male", t("Man, if possible")),
  );
}

function gone(search: SearchView): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(search.asked_at)) / 1000));
  return t("{n} s · usually {usual} s", { n: seconds, usual: search.expected_s });
}

function isField(element: Element | null): boolean {
  return element?.matches("input, select, textarea") ?? false;
}

const STATES: Readonly<Record<SearchView["state"], () => string>> = {
  ringing: () => t("Calling"),
  accepted: () => t("An interpreter is coming"),
  connected: () => t("Here"),
  unanswered: () => t("Nobody answers"),
  by_phone: () => t("By telephone"),
  closed: () => t("Not calling"),
};
const STAGES: Readonly<Record<SessionView["stage"], () => string>> = {
  briefing: () => t("Briefing"),
  introduction: () => t("Introduction"),
  interpreting: () => t("Interpreter"),
};
const CLOSED: Readonly<Record<NonNullable<SearchView["reason"]>, () => string>> = {
  cancelled: () => t("You stopped calling."),
  another_time: () => t("You chose another time."),
  left: () => t("The interpreter has left."),
  gave_up: () => t("Nobody answered for a long time."),
  relieved: () => "",
  consult_over: () => "",
};
