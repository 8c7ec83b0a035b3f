/** What all staff pages do: keep the clock, sign out, hold the channel to the server and say when it is gone. */

import { Failure, post } from "./api.ts";
import { all, byId, fill, icon, say } from "./dom.ts";
import { language, t } from "./i18n.ts";
import type { BoardMessage, BoardView, ConsultMessage, ServerMessage } from "./protocol.gen.ts";
import { type Channel, openChannel } from "./socket.ts";
import { clock, date, type Zone } from "./times.ts";

export interface StaffUser {
  readonly id: string;
  readonly name: string;
  readonly role: "physician" | "coordinator" | "interpreter";
}

export interface StaffBoot {
  readonly clinic: { readonly name: string; readonly phone: string; readonly zone: Zone };
  readonly user: StaffUser;
}

export type StaffMessage = BoardMessage | ConsultMessage;

const CLOCK_MS = 5_000;

/** Start the parts of the frame around every staff page. */
export function startFrame(zone: Zone): void {
  const shown = byId("clock");
  const tick = (): void =>
    say(shown, t("{date}, {time}", { date: date(new Date(), zone.id), time: clock(new Date(), zone.id) }));
  tick();
  setInterval(tick, CLOCK_MS);
  for (const button of all("[data-do=sign-out]")) button.addEventListener("click", () => void signOut());
}

async function signOut(): Promise<void> {
  try {
    const { url } = await post<{ url: string }>("/api/signout");
    location.assign(url);
  } catch (error) {
    // Without the server nobody is signed out; say so instead of looking as if.
    banner(
      error instanceof Failure && error.code === "offline"
        ? t("You are not signed out: there is no connection.")
        : t("You are not signed out. Please try again."),
    );
  }
}

function banner(text: string): void {
  const shown = byId("link-state");
  if (text) fill(shown, icon("wifi"), " ", text);
  else fill(shown);
}

/** Take one's own seat in a consult; the browser goes to its page, in the language of this one. */
export async function enterConsult(consultId: string): Promise<void> {
  const { url } = await post<{ url: string }>(`/api/consult/${encodeURIComponent(consultId)}/enter`);
  location.assign(`${url}?lang=${language()}`);
}

/** Follow a day's consults (`day` as YYYY-MM-DD, null for today); `onView` gets every newer board. */
export function followBoard(
  onView: (view: BoardView) => void,
  day: () => string | null = () => null,
): Channel<StaffMessage> {
  const channel = openChannel<StaffMessage, ServerMessage>({
    entry: { board: true },
    onMessage(message) {
      if (message.type === "board_view") onView(message);
    },
    onState(state) {
      document.body.dataset.link = state;
      if (state === "connected") {
        banner("");
        const opened = channel.send({ type: "open_board", day: day() });
        opened.catch(() => banner(t("This page is out of date. Please load it again.")));
      } else if (state === "lost") {
        banner(t("Connecting again. What you see may be old."));
      }
    },
    onRejected(code) {
      if (code === "protocol_error") banner(t("This page is out of date. Please load it again."));
      else location.assign(`/signin?next=${encodeURIComponent(location.pathname)}`);
    },
  });
  return channel;
}
