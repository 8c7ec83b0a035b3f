/** One message channel to the server: every message acknowledged, a fresh ticket for every connection.
 *
 * The server sends whole views; a view older than one already seen is dropped here, so a page only ever shows
 * what it was told last. Reconnecting is nothing special: a new ticket, and the first view says everything.
 */

import { io, type Socket } from "socket.io-client";
import { Failure, post } from "./api.ts";
import { newsFilter } from "./news.ts";

export type ChannelState = "connecting" | "connected" | "lost" | "closed";

interface Typed {
  readonly type: string;
}

/** The server's answer to a message that it did not accept. */
export class Refusal extends Error {
  readonly code: string;
  readonly supportId: string | null;

  constructor(code: string, supportId: string | null = null) {
    super(code);
    this.code = code;
    this.supportId = supportId;
  }
}

export interface ChannelOptions<In extends Typed> {
  /** Body of POST /api/ticket: `{consult_id, participant_id}` for a seat, `{board: true}` for staff. */
  readonly entry: Readonly<Record<string, unknown>>;
  /** More for the connection's `auth`, asked anew for every connection (a seat's peer, if it still has one). */
  readonly auth?: () => Readonly<Record<string, unknown>>;
  readonly onMessage: (message: In) => void;
  readonly onState: (state: ChannelState) => void;
  /** The server no longer lets this page in (signed out, seat revoked); nothing is tried again. */
  readonly onRejected: (code: string) => void;
}

export interface Channel<Out extends Typed> {
  /** Resolves with the acknowledgement, throws Refusal. What is no command is `offline` at once without a connection. */
  send<Ack extends Typed = Typed>(message: Out): Promise<Ack>;
  /** Resolves once connected, now or later; never after close(). */
  ready(): Promise<void>;
  /** The network may have changed under the socket: ask for an answer, and take a new socket when none comes. */
  doubt(question: Out, withinMs: number): void;
  close(): void;
}

const ACK_TIMEOUT_MS = 10_000;
/** An attempt in a network that is gone is given up soon and begun anew; now and then one gets a slow network's time. */
const QUICK_MS = 2_000;
const TIMES_THE_LAST = 5;
const PATIENT_MS = 10_000;
const PATIENT_EVERY = 12;
/** After an attempt that has hung there is nothing to wait for: nobody was burdened by it. */
const AFTER_HUNG_MS = 200;
const TICKET_REFUSED = "ticket_refused";
const RESENDS_MAX = 2;
const RESEND_WITHIN_MS = 15_000;
const RETRY_MS = [100, 500, 1_000, 2_000, 4_000] as const;
const SPREAD = 0.3;
/** While an attempt hangs in a network that is gone, TCP asks ever more rarely; this asks every second. */
const KNOCK_EVERY_MS = 1_000;
const KNOCK_AT = "/healthz";
/** An attempt is a ticket, a TLS handshake, an upgrade: as many times as long as one knock, and a little more. */
const STEPS_OF_ATTEMPT = 8;
const KNOCK_SLACK_MS = 500;
/** Codes after which a new ticket would be refused just the same. */
const FINAL_STATUS = new Set([401, 403, 404, 410]);

/** Open the channel and keep it open until close(). */
export function openChannel<Out extends Typed, In extends Typed>(options: ChannelOptions<In>): Channel<Out> {
  let socket: Socket | null = null;
  let closed = false;
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let knocking: ReturnType<typeof setInterval> | undefined;
  let asking: AbortController | null = null;
  const waiting: (() => void)[] = [];
  let attemptAt = 0;
  /** Opens the next connection without a request in between. A browser asks for requests' sockets ever more rarely
   * while a network is gone, whoever asks, and for a WebSocket's own anew each time. */
  let next: string | null = null;
  let openedInMs: number | null = null;
  /** The server itself said no: it is there, and wants to be asked more rarely. */
  let refused = false;

  function drop(): void {
    socket?.removeAllListeners();
    socket?.close();
    socket = null;
    asking?.abort();
    asking = null;
  }

  function again(): void {
    drop();
    if (closed) return;
    knocking ??= setInterval(() => void knock(), KNOCK_EVERY_MS);
    options.onState("lost");
    const hung = performance.now() - attemptAt >= QUICK_MS;
    const wait = hung ? AFTER_HUNG_MS : (RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 4_000);
    attempt += 1;
    clearTimeout(retry);
    retry = setTimeout(() => void connect(), wait * (1 + SPREAD * Math.random()));
  }

  function close(): void {
    if (closed) return;
    closed = true;
    clearTimeout(retry);
    clearInterval(knocking);
    removeEventListener("online", online);
    drop();
    options.onState("closed");
  }

  /** Where the server answers at once, an attempt that has hung since before is begun anew. */
  async function knock(): Promise<void> {
    const hung = attemptAt;
    const begun = performance.now();
    try {
      await fetch(KNOCK_AT, { cache: "no-store", signal: AbortSignal.timeout(KNOCK_EVERY_MS) });
    } catch {
      return; // Gone, or so slow that an attempt needs all the time it gets.
    }
    const now = performance.now();
    const fair = KNOCK_SLACK_MS + (now - begun) * STEPS_OF_ATTEMPT;
    if (closed || refused || socket?.connected || attemptAt !== hung || now - hung < fair) return;
    drop();
    connectNow();
  }

  function reject(code: string): void {
    close();
    options.onRejected(code);
  }

  async function ticket(stop: AbortController): Promise<string> {
    return (await post<{ ticket: string }>("/api/ticket", options.entry, stop)).ticket;
  }

  async function connect(begun?: Promise<string>): Promise<void> {
    if (closed || socket || asking) return;
    attemptAt = performance.now();
    if (next) return open(next);
    const own = new AbortController();
    asking = own;
    refused = false;
    let redeemed: string;
    try {
      redeemed = await (begun ?? ticket(own));
    } catch (error) {
      if (asking !== own) return;
      asking = null;
      refused = error instanceof Failure && error.status > 0;
      if (error instanceof Failure && FINAL_STATUS.has(error.status)) reject(error.code);
      else again();
      return;
    }
    if (asking !== own) return;
    asking = null;
    open(redeemed);
  }

  function open(redeemed: string): void {
    // Revisions count within one connection, so each has its own filter.
    const isNews = newsFilter();
    const auth = { ...options.auth?.(), ticket: redeemed };
    const patient = openedInMs === null || attempt % PATIENT_EVERY === PATIENT_EVERY - 1;
    const timeout = patient ? PATIENT_MS : Math.max(QUICK_MS, TIMES_THE_LAST * (openedInMs ?? 0));
    const begun = performance.now();
    socket = io({
      transports: ["websocket", "polling"],
      auth,
      timeout,
      reconnection: false,
      forceNew: true,
    });
    socket.on("connect", () => {
      attempt = 0;
      openedInMs = performance.now() - begun;
      next = null;
      clearInterval(knocking);
      knocking = undefined;
      options.onState("connected");
      for (const told of waiting.splice(0)) told();
    });
    socket.on("connect_error", (error) => {
      // Used already, or from a server that has been started again: the next one comes over HTTP.
      if (error.message === TICKET_REFUSED) next = null;
      again();
    });
    socket.on("disconnect", again);
    socket.on("message", (message: In) => {
      if (message.type === "next_ticket") next = (message as unknown as { ticket: string }).ticket;
      else if (isNews(message)) options.onMessage(message);
      if (message.type === "displaced") close();
      if (message.type === "protocol_error") reject("protocol_error");
    });
  }

  function connectNow(begun?: Promise<string>): void {
    if (!socket && !asking && !closed) {
      clearTimeout(retry);
      void connect(begun);
    }
  }

  const online = (): void => connectNow();

  function ready(): Promise<void> {
    if (socket?.connected) return Promise.resolve();
    return new Promise((resolve) => waiting.push(resolve));
  }

  function doubt(question: Out, withinMs: number): void {
    const asked = socket;
    if (!asked?.connected) return;
    // Asked for at the same time: should the socket be dead, the ticket for the next one is there.
    const spare = next ? undefined : ticket(new AbortController());
    spare?.catch(() => {});
    asked
      .timeout(withinMs)
      .emitWithAck("message", question)
      .catch(() => {
        if (socket !== asked) return;
        attempt = 0;
        again();
        connectNow(spare);
      });
  }

  /** A command carries an id by which the server knows it: sent again, on whichever socket, it happens once. */
  async function send<Ack extends Typed>(message: Out): Promise<Ack> {
    for (let left = RESENDS_MAX; ; left -= 1) {
      try {
        return await sendNow<Ack>(message);
      } catch (error) {
        const unsure = error instanceof Refusal && (error.code === "offline" || error.code === "timeout");
        if (!unsure || !left || !("command_id" in message) || !(await readyWithin(RESEND_WITHIN_MS)))
          throw error;
      }
    }
  }

  async function readyWithin(ms: number): Promise<boolean> {
    const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ms));
    return Promise.race([ready().then(() => true), late]);
  }

  async function sendNow<Ack extends Typed>(message: Out): Promise<Ack> {
    if (!socket?.connected) throw new Refusal("offline");
    let ack: Ack;
    try {
      ack = (await socket.timeout(ACK_TIMEOUT_MS).emitWithAck("message", message)) as Ack;
    } catch {
      throw new Refusal("timeout");
    }
    if (ack.type === "refusal" || ack.type === "protocol_error") {
      const { code, support_id } = ack as unknown as { code: string; support_id?: string | null };
      throw new Refusal(code, support_id ?? null);
    }
    return ack;
  }

  addEventListener("online", online);
  options.onState("connecting");
  void connect();
  return { send, ready, doubt, close };
}

/** An id for a message that must not be done twice, however often it is sent. */
export function commandId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
