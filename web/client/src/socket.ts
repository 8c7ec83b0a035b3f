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
  /** Resolves with the acknowledgement, throws Refusal; `offline` at once when there is no connection. */
  send<Ack extends Typed = Typed>(message: Out): Promise<Ack>;
  close(): void;
}

const ACK_TIMEOUT_MS = 10_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000] as const;
const SPREAD = 0.3;
/** Codes after which a new ticket would be refused just the same. */
const FINAL_STATUS = new Set([401, 403, 404, 410]);

/** Open the channel and keep it open until close(). */
export function openChannel<Out extends Typed, In extends Typed>(options: ChannelOptions<In>): Channel<Out> {
  let socket: Socket | null = null;
  let closed = false;
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  function again(): void {
    socket?.removeAllListeners();
    socket?.close();
    socket = null;
    if (closed) return;
    options.onState("lost");
    const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 4_000;
    attempt += 1;
    clearTimeout(retry);
    retry = setTimeout(connect, wait * (1 + SPREAD * Math.random()));
  }

  function close(): void {
    if (closed) return;
    closed = true;
    clearTimeout(retry);
    removeEventListener("online", connectNow);
    socket?.removeAllListeners();
    socket?.close();
    options.onState("closed");
  }

  function reject(code: string): void {
    close();
    options.onRejected(code);
  }

  async function connect(): Promise<void> {
    if (closed || socket) return;
    let ticket: string;
    try {
      ticket = (await post<{ ticket: string }>("/api/ticket", options.entry)).ticket;
    } catch (error) {
      if (error instanceof Failure && FINAL_STATUS.has(error.status)) reject(error.code);
      else again();
      return;
    }
    if (closed || socket) return;
    // Revisions count within one connection, so each has its own filter.
    const isNews = newsFilter();
    const auth = { ...options.auth?.(), ticket };
    socket = io({ transports: ["websocket", "polling"], auth, reconnection: false, forceNew: true });
    socket.on("connect", () => {
      attempt = 0;
      options.onState("connected");
    });
    socket.on("connect_error", again);
    socket.on("disconnect", again);
    socket.on("message", (message: In) => {
      if (isNews(message)) options.onMessage(message);
      if (message.type === "displaced") close();
      if (message.type === "protocol_error") reject("protocol_error");
    });
  }

  function connectNow(): void {
    if (!socket && !closed) {
      clearTimeout(retry);
      void connect();
    }
  }

  async function send<Ack extends Typed>(message: Out): Promise<Ack> {
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

  addEventListener("online", connectNow);
  options.onState("connecting");
  void connect();
  return { send, close };
}

/** An id for a message that must not be done twice, however often it is sent. */
export function commandId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
