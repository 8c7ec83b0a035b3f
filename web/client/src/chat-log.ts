/** Written messages: fetched by number, kept over screens, counted while nobody reads them. */

import { all, show } from "./dom.ts";
import type { Chat, ChatMessage, ConsultView } from "./protocol.gen.ts";
import { keep, kept } from "./visit-kept.ts";

export class ChatLog {
  readonly messages: ChatMessage[] = [];
  onnews: () => void = () => {};
  private readSeq: number;
  private readonly key: string;
  private wanted = 0;
  private fetching = false;
  private readonly fetch: (after: number) => Promise<Chat>;

  constructor(consult: string, fetch: (after: number) => Promise<Chat>) {
    this.fetch = fetch;
    this.key = `read.${consult}`;
    this.readSeq = kept(this.key, 0);
  }

  get lastSeq(): number {
    return this.messages[this.messages.length - 1]?.seq ?? 0;
  }

  get unread(): number {
    return Math.max(0, this.lastSeq - this.readSeq);
  }

  /** Fetch what the view says there is and we lack. */
  follow(view: ConsultView): void {
    this.wanted = view.chat_seq;
    if (!this.fetching && this.lastSeq < this.wanted) void this.catchUp();
    this.count();
  }

  private async catchUp(): Promise<void> {
    this.fetching = true;
    try {
      while (this.lastSeq < this.wanted) {
        const { messages } = await this.fetch(this.lastSeq);
        const news = messages.filter((message) => message.seq > this.lastSeq);
        if (!news.length) return;
        this.messages.push(...news);
        this.onnews();
        this.count();
      }
    } catch {
      return; // Offline or not allowed to read: the next view asks again.
    } finally {
      this.fetching = false;
    }
  }

  read(): void {
    this.readSeq = Math.max(this.readSeq, this.lastSeq);
    keep(this.key, this.readSeq);
    this.count();
  }

  private count(): void {
    for (const badge of all("[data-do=chat] [data-count], [data-do=tab-chat] [data-count]")) {
      badge.textContent = String(this.unread);
      show(badge, this.unread > 0);
    }
  }
}
