/** What everybody in the room is shown of interpreting: how the search goes, whose turn it is, and the signals. */

import { h, icon, say, show } from "../dom.ts";
import { t } from "../i18n.ts";
import { languageName } from "../names.ts";
import type { ConsultView } from "../protocol.gen.ts";
import { personOf, type Visit } from "../visit-context.ts";
import { introduction, SIGNAL_ICONS, searchWords, signalWords } from "./interpreting-words.ts";
import type { Notes } from "./notes.ts";
import type { Stage } from "./stage.ts";

const SIGNAL_SHOWN_MS = 8_000;
const TURN_EVERY_MS = 200;

export class Signs {
  private readonly visit: Visit;
  private readonly notes: Notes;
  private readonly stage: Stage;
  private readonly turn: HTMLElement;
  private readonly timer: number;
  private seen: number | null = null;
  private hide: number | undefined;
  private stageBefore: string | null = null;

  constructor(visit: Visit, place: HTMLElement, notes: Notes, stage: Stage) {
    this.visit = visit;
    this.notes = notes;
    this.stage = stage;
    this.turn = h("p", { class: "turn", "data-part": "turn", hidden: true }, icon("mic"), " ", h("b"));
    place.append(this.turn);
    this.timer = window.setInterval(() => this.drawTurn(), TURN_EVERY_MS);
  }

  update(view: ConsultView): void {
    const { search, session } = view;
    const words = search ? searchWords(view, search) : "";
    const line = search?.phone_line ?? "";
    const text = line ? `${words} ${line}` : words;
    this.notes.set("search", text ? { words: text, icon: line ? "phone" : "terp", tone: "terp" } : null);
    const alone = session?.stage === "briefing";
    const only = t("Private briefing. The patient cannot hear or see you.");
    this.notes.set("briefing", alone ? { words: only, icon: "lock", tone: "terp" } : null);
    this.introduce(view);
    this.sayStage(view);
    this.showSignal(view);
    this.drawTurn();
  }

  /** What the interpreter says first, to read along in one's own language. */
  private introduce(view: ConsultView): void {
    const { session } = view;
    const mine = session?.interpreter === view.me.participant;
    const on = session?.stage === "introduction" && !mine;
    const name = languageName(view.search?.languages[0] ?? view.interpreting?.[0] ?? "");
    const words = on ? introduction(session.number, name, view.case?.recorded ?? false).join(" ") : "";
    this.notes.set("introduction", on ? { words, icon: "terp", tone: "terp" } : null);
  }

  /** Say once that somebody interprets now, for those who do not see it. */
  private sayStage(view: ConsultView): void {
    const stage = view.session?.stage ?? null;
    if (this.stageBefore !== null && stage === "interpreting" && this.stageBefore !== stage)
      this.visit.announce(t("The interpreter interprets from now on."));
    this.stageBefore = stage ?? "none";
  }

  private showSignal(view: ConsultView): void {
    const last = view.session?.signals[view.session.signals.length - 1];
    const before = this.seen;
    this.seen = last?.no ?? before ?? 0;
    // What was asked before this page was opened is no news.
    if (!last || before === null || last.no <= before) return;
    this.notes.set("signal", null);
    this.notes.set("signal", {
      words: signalWords(last.kind),
      icon: SIGNAL_ICONS[last.kind],
      tone: "terp",
      urgent: true,
    });
    window.clearTimeout(this.hide);
    this.hide = window.setTimeout(() => this.notes.set("signal", null), SIGNAL_SHOWN_MS);
  }

  /** Consecutively one speaks and then waits: green to speak, the interpreter's colour while they do. */
  private drawTurn(): void {
    const session = this.visit.view?.session;
    const mine = session?.interpreter === this.visit.view?.me.participant;
    const here = personOf(this.visit.view, session?.interpreter)?.connected === true;
    const on = here && session?.stage === "interpreting" && session.mode === "consecutive" && !mine;
    show(this.turn, on === true);
    if (!session || !on) return;
    const waits = this.stage.speaks(session.interpreter);
    this.turn.classList.toggle("waits", waits);
    this.turn.dataset.turn = waits ? "interpreter" : "free";
    say(
      this.turn.lastElementChild ?? this.turn,
      waits ? t("The interpreter is speaking") : t("You can speak"),
    );
  }

  close(): void {
    window.clearInterval(this.timer);
    window.clearTimeout(this.hide);
    this.turn.remove();
  }
}
