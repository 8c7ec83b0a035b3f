/** What every part of the seat page shares: the boot data, the last view, and how to ask the server for something. */

import type { ChatLog } from "./chat-log.ts";
import type { Media } from "./media/media.ts";
import type { ClientMessage, ConsultView, DeviceCheck, PersonView } from "./protocol.gen.ts";
import type { ChannelState } from "./socket.ts";

export interface Country {
  readonly code: string;
  readonly name: string;
  readonly emergency: string | null;
}

export interface ConsentText {
  readonly id: string;
  readonly hash: string;
  readonly language: string;
  readonly title: string;
  readonly paragraphs: readonly string[];
}

/** Boot data of web.pages.SeatPage. */
export interface VisitBoot {
  readonly clinic: {
    readonly name: string;
    readonly phone: string;
    readonly zone: { id: string; city: string };
  };
  readonly consult_id: string;
  readonly participant_id: string;
  readonly role: "patient" | "companion" | "physician" | "interpreter" | "coordinator";
  readonly language: string;
  readonly consent: ConsentText | null;
  /** What one may agree to before being recorded; none that this person could not read. */
  readonly recording_texts: Readonly<Partial<Record<"audio" | "video", ConsentText>>>;
  /** For a physician: the languages in which somebody may agree. */
  readonly recording_languages: Readonly<Partial<Record<"audio" | "video", readonly string[]>>>;
  readonly country: string | null;
  readonly countries: readonly Country[];
  /** For an interpreter: the introduction's sentences by page language; empty for everybody else. */
  readonly introductions: Readonly<Record<string, readonly string[]>>;
}

/** A message as the page writes it; the id that makes it repeatable is added when it is sent. */
export type Ask = Written<ClientMessage>;
type Written<M> = M extends { type: string } ? Omit<M, "command_id" | "consult_id"> : never;

export type Action = (button: HTMLButtonElement) => void | Promise<void>;
export type Actions = Readonly<Record<string, Action>>;

/** One screen of the page. `update` gets every view, the first one at once. */
export interface Screen {
  readonly actions: Actions;
  update(view: ConsultView): void;
  /** The channel to the server or the media connection changed. */
  connection?(): void;
  close?(): void;
}

export type OpenScreen = (visit: Visit, root: HTMLElement) => Screen;

export interface Visit {
  readonly boot: VisitBoot;
  readonly media: Media;
  readonly chat: ChatLog;
  readonly view: ConsultView | null;
  readonly channel: ChannelState;
  /** Ask the server; throws Refusal. */
  send<Ack extends { type: string }>(message: Ask): Promise<Ack>;
  /** Show a fault in words where the person looks: the open dialog, else the top of the page. */
  problem(error: unknown): void;
  /** Add to what staff see of this person's device check. */
  reportCheck(news: Partial<DeviceCheck>): void;
  /** Run the check again from another screen. */
  recheck(): void;
  announce(text: string): void;
}

export function isPatient(role: string): boolean {
  return role === "patient" || role === "companion";
}

export function personOf(view: ConsultView | null, id: string | null | undefined): PersonView | undefined {
  return view?.people.find((person) => person.id === id);
}
