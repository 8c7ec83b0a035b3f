/** The seat: keeps the channel open, shows the screen the view names, and carries what buttons ask for. */

import { ChatLog } from "./chat-log.ts";
import { byId, fill, h, icon } from "./dom.ts";
import { Media } from "./media/media.ts";
import { keepAwake } from "./media/wake.ts";
import type {
  ClientMessage,
  ConsultView,
  DeviceCheck,
  MediaAnswer,
  Screen as ScreenName,
  ServerMessage,
} from "./protocol.gen.ts";
import { type Channel, type ChannelState, commandId, openChannel, Refusal } from "./socket.ts";
import { openChat } from "./visit-chat.ts";
import type { Actions, Ask, OpenScreen, Screen, Visit, VisitBoot } from "./visit-context.ts";
import { continueConsult, follow, remember } from "./visit-continue.ts";
import { closeDialog, closeDialogs, openDialog, openedDialog } from "./visit-dialogs.ts";
import { gate } from "./visit-gate.ts";
import { openQuiet } from "./visit-quiet.ts";
import { usedInAnotherTab } from "./visit-tabs.ts";
import { openWaiting } from "./visit-waiting.ts";
import { refusalWords } from "./visit-words.ts";

/** Screens beside the server's: this page cannot go on, or repeats the check. */
type Shown = ScreenName | "rejected" | "recheck";

/** Where media is connected, so that letting somebody in takes no time. */
const CONNECTED: ReadonlySet<Shown> = new Set([
  "check",
  "waiting",
  "recheck",
  "room",
  "on_hold",
  "separated",
  "briefing",
]);
const OVER: ReadonlySet<ScreenName> = new Set([
  "ended",
  "cancelled",
  "no_show",
  "declined",
  "removed",
  "closed",
]);
const PROBLEM_SHOWN_MS = 12_000;

async function opener(shown: Shown): Promise<OpenScreen> {
  switch (shown) {
    case "check":
      return (await import("./check/check.ts")).openCheck;
    case "recheck":
      return (await import("./check/check.ts")).openRecheck;
    case "room":
      return (await import("./room/room.ts")).openRoom;
    case "waiting":
      return openWaiting;
    default:
      return openQuiet(shown);
  }
}

class Seat implements Visit {
  readonly boot: VisitBoot;
  readonly media: Media;
  readonly chat: ChatLog;
  view: ConsultView | null = null;
  channel: ChannelState = "connecting";
  private shown: Shown | null = null;
  private screen: Screen | null = null;
  private opening = 0;
  private override: Shown | null = null;
  private channelOut!: Channel<ClientMessage>;
  private peer: string | null = null;
  private mediaTold = "";
  private takeOver = false;
  private using = false;
  private readonly names = new Map<string, string>();
  private check: DeviceCheck = { camera: null, microphone: null, speaker: null, network: null };
  private readonly main = byId("screen");
  private readonly firstView: () => void;
  private problemTimer: number | undefined;

  constructor(boot: VisitBoot, firstView: () => void) {
    this.boot = boot;
    this.firstView = firstView;
    this.media = new Media({
      connect: (offer) => this.connectMedia(offer),
      doubt: (withinMs) => this.channelOut.doubt({ type: "set_media", ...this.onNow() }, withinMs),
    });
    this.chat = new ChatLog(boot.consult_id, (after_seq) => this.send({ type: "fetch_chat", after_seq }));
    this.media.events = {
      devices: () => this.tellMedia(),
      state: () => this.connectionChanged(),
    };
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.media.awoke();
      this.tellMedia();
    });
    const seat = `${boot.consult_id}.${boot.participant_id}`;
    void usedInAnotherTab(seat, () => this.using).then((used) => {
      if (used) this.overrule("displaced");
      else this.openChannel();
    });
  }

  private openChannel(): void {
    this.using = true;
    this.channelOut = openChannel<ClientMessage, ServerMessage>({
      entry: { consult_id: this.boot.consult_id, participant_id: this.boot.participant_id },
      auth: () => (this.peer ? { peer: this.peer } : {}),
      onMessage: (message) => this.receive(message),
      onState: (state) => this.channelChanged(state),
      onRejected: () => {
        // A visit that is over takes its seats with it; its last screen stays.
        if (!this.view || !OVER.has(this.view.screen)) this.overrule("rejected");
      },
    });
  }

  async send<Ack extends { type: string }>(message: Ask): Promise<Ack> {
    const known = NEEDS_NO_ID.has(message.type) ? message : { ...message, command_id: commandId() };
    return this.channelOut.send<Ack>(known as ClientMessage);
  }

  private async connectMedia(offer: string): Promise<MediaAnswer> {
    await this.channelOut.ready();
    const answer = await this.send<MediaAnswer>({ type: "connect_media", offer });
    this.peer = answer.peer;
    return answer;
  }

  private channelChanged(state: ChannelState): void {
    this.channel = state;
    if (state === "connected") this.mediaTold = "";
    this.connectionChanged();
  }

  private connectionChanged(): void {
    const { state } = this.media.connection;
    this.main.dataset.media = state;
    const known = state !== "connecting" && this.shown !== null && CONNECTED.has(this.shown);
    if (known) this.reportCheck({ network: state === "connected" ? "ok" : "failed" });
    this.screen?.connection?.();
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case "consult_view":
        this.apply(message);
        return;
      case "media_lost":
        if (message.peer === this.peer && !this.media.connection.building)
          void this.media.connection.rebuild("media_lost");
        return;
      case "displaced":
        this.channelOut.close();
        this.overrule("displaced");
        return;
      case "asked_to_mute":
        if (!this.media.devices.muted) openDialog("asked_to_mute");
        return;
      case "consult_continued":
        return; // The view of the ended consult names the new one, and the screen offers it.
      case "protocol_error":
        this.problem(new Refusal("internal"));
        return;
      case "next_ticket":
        return; // The channel keeps it.
      case "board_view":
        return; // Only for boards; a seat's channel never carries one.
    }
  }

  private apply(view: ConsultView): void {
    this.firstView();
    this.view = view;
    remember(this.names, view);
    if (this.takeOver && view.me.elsewhere) void this.takeSeat();
    if (this.override === "recheck" && view.screen !== "waiting") this.override = null;
    const shown = this.override ?? view.screen;
    this.show(shown);
    this.runMedia(shown, view);
    this.media.apply(view);
    this.tellMedia();
    this.chat.follow(view);
    this.screen?.update(view);
    gate(document, view);
  }

  private overrule(shown: Shown): void {
    this.using = false;
    this.firstView();
    this.override = shown;
    this.show(shown);
    this.runMedia(shown, null);
  }

  /** Connected from the check on, which shows whether it can be; not on a device that only asks for the seat. */
  private runMedia(shown: Shown, view: ConsultView | null): void {
    if (CONNECTED.has(shown) && !view?.me.asks_for_seat) this.media.start();
    else if (shown !== "waiting") this.media.stop();
  }

  private show(shown: Shown): void {
    if (shown === this.shown) return;
    this.shown = shown;
    const turn = ++this.opening;
    keepAwake(CONNECTED.has(shown));
    void opener(shown)
      .then((open) => {
        if (turn === this.opening) this.open(shown, open);
      })
      .catch((error: unknown) => {
        // A part of the page did not load; the next view tries again.
        if (turn === this.opening) this.shown = null;
        console.error(error);
        this.problem(new Refusal("offline"));
      });
  }

  private open(shown: Shown, open: OpenScreen): void {
    this.screen?.close?.();
    closeDialogs();
    const inRoom = shown === "room";
    const patient = document.body.classList.contains("patient");
    document.body.classList.toggle("in-room", inRoom);
    byId("top").hidden = inRoom;
    this.main.className = inRoom ? `room on-dark ${patient ? "room-p" : "room-s"}` : "col stack";
    this.main.dataset.screen = shown === "recheck" ? "check" : shown;
    this.main.replaceChildren();
    this.screen = open(this, this.main);
    if (this.view) {
      this.screen.update(this.view);
      gate(document, this.view);
    }
    this.main.querySelector("h1")?.focus();
    if (!inRoom) window.scrollTo(0, 0);
  }

  /** Tell the server whether we can be heard and seen; it forwards what is on and shows the rest as off. */
  private tellMedia(): void {
    this.screen?.connection?.();
    if (!this.view?.can.includes("set_media") || this.channel !== "connected") return;
    const now = this.onNow();
    const told = JSON.stringify(now);
    if (told === this.mediaTold) return;
    this.mediaTold = told;
    this.send({ type: "set_media", ...now }).catch(() => {
      this.mediaTold = "";
    });
  }

  private onNow(): { audio_on: boolean; video_on: boolean } {
    const { devices } = this.media;
    return {
      audio_on: devices.microphone?.readyState === "live" && !devices.muted,
      video_on: devices.camera?.readyState === "live",
    };
  }

  reportCheck(news: Partial<DeviceCheck>): void {
    const check = { ...this.check, ...news };
    if (JSON.stringify(check) === JSON.stringify(this.check)) return;
    this.check = check;
    if (!this.view?.can.includes("report_device_check")) return;
    // Only a help for staff: a report that is lost is made good by the next one.
    this.send({ type: "report_device_check", check }).catch(() => {});
  }

  private async takeSeat(): Promise<void> {
    this.takeOver = false;
    await this.send({ type: "take_seat" }).catch((error: unknown) => this.problem(error));
  }

  recheck(): void {
    this.override = this.override === "recheck" ? null : "recheck";
    if (this.view) this.apply(this.view);
  }

  announce(text: string): void {
    byId("announce").textContent = text;
  }

  problem(error: unknown): void {
    if (!(error instanceof Refusal)) console.error(error);
    const place = openedDialog()?.querySelector<HTMLElement>("[data-part=error]");
    if (place) {
      place.hidden = false;
      place.textContent = refusalWords(error);
      return;
    }
    const words = h("span", { class: "grow" }, refusalWords(error));
    fill(byId("problem"), h("p", { class: "note note-warn" }, icon("warn"), words));
    window.clearTimeout(this.problemTimer);
    this.problemTimer = window.setTimeout(() => fill(byId("problem")), PROBLEM_SHOWN_MS);
  }

  private clicked(event: MouseEvent): void {
    const target =
      event.target instanceof Element ? event.target.closest<HTMLButtonElement>("button[data-do]") : null;
    const name = target?.dataset.do;
    if (!target || !name || target.type === "submit") return;
    const action = this.screen?.actions[name] ?? this.common[name];
    if (!action) return;
    void Promise.resolve(action(target)).catch((error: unknown) => this.problem(error));
  }

  private readonly common: Actions = {
    leave: () => void openDialog("leave"),
    leave_yes: async () => {
      await this.send({ type: "leave" });
      closeDialog("leave");
    },
    return: async () => {
      await this.send({ type: "arrive" });
    },
    take_seat: () => {
      if (this.override !== "displaced") return this.takeSeat();
      this.override = null;
      this.takeOver = true;
      this.openChannel();
    },
    chat: () => openChat(this, this.chat),
    recheck: () => this.recheck(),
    // In the room it can be taken back.
    refuse_recording: async () => {
      await this.send({ type: "refuse_recording" });
    },
    mute_yes: () => {
      this.media.devices.setMuted(true);
      closeDialog("asked_to_mute");
    },
    follow: () => follow(this),
    continue_consult: () => continueConsult(this, this.names),
  };
}

const NEEDS_NO_ID: ReadonlySet<string> = new Set([
  "set_media",
  "report_device_check",
  "report_connection",
  "fetch_chat",
  "connect_media",
  "close_media",
  "set_direction",
  "prefer_original",
]);

export function openSeat(boot: VisitBoot, firstView: () => void): void {
  new Seat(boot, firstView);
}
