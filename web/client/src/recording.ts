/** One recording: asks for the purpose, then plays its views together. */

import { post } from "./api.ts";
import { boot } from "./boot.ts";
import { all, byId, fill, h, icon, say, show } from "./dom.ts";
import { t } from "./i18n.ts";
import { type Film, filmOf, firstPictureS, momentIn } from "./playback/film.ts";
import { type Opening, showGate } from "./playback/gate.ts";
import { showIntegrity } from "./playback/integrity.ts";
import { type KeyAction, listenToKeys } from "./playback/keys.ts";
import { fillLegend, lanesOf, listenToScrubbing, scaleOf } from "./playback/lanes.ts";
import { fillMoments, markMoment } from "./playback/moments.ts";
import { askToDestroy, askToHold, showAccess, showConsents, showExport } from "./playback/papers.ts";
import { Player } from "./playback/player.ts";
import { address, type OpenAnswer, type Ready, type Row } from "./playback/shapes.ts";
import { drawStage, fillStage, makeTiles, type Tile } from "./playback/stage.ts";
import { drawTransport, noteGap, speakPlace, startTransport } from "./playback/transport.ts";
import { startVoices } from "./playback/voices.ts";
import { failedWords, faultWords, place, shortLength, stateWords, whenWords } from "./playback/words.ts";
import { type StaffBoot, startFrame } from "./staff.ts";
import { date } from "./times.ts";

interface Boot extends StaffBoot {
  readonly recording: Row;
}

const TICK_MS = 50;
const SKIP_S = 10;

const { clinic, recording: row } = boot<Boot>();

// --- before it is opened ------------------------------------------------------------------------------------

function showFacts(): void {
  const parts = [row.started_at && `${whenWords(row.started_at, clinic.zone)} ${clinic.zone.city}`];
  if (row.duration_s !== null) parts.push(shortLength(row.duration_s));
  say(byId("when"), parts.filter(Boolean).join(" · "));
  const kept = byId("kept");
  if (row.shredded_at) say(kept, t("Destroyed on {date}", { date: dayOf(row.shredded_at) }));
  else if (row.held) say(kept, t("Under a legal hold"));
  else
    say(kept, row.keep_until ? t("Kept until {date}", { date: dayOf(row.keep_until) }) : t("No end is set"));
  show(byId("held"), row.held === true && !row.shredded_at);
  const { words, tone, icon: sign } = stateWords(row.state);
  byId("integrity").className = `tag badge ${tone}`;
  fill(byId("integrity"), icon(sign), words);
}

function dayOf(iso: string): string {
  return date(new Date(iso), clinic.zone.id, true);
}

function showDeletion(asked: boolean): void {
  show(byId("deletion"), asked);
  const waits = row.deletion && row.may.delete;
  if (asked && !waits) say(byId("deletion"), t("To be destroyed: waits for a physician's confirmation."));
  else if (asked) say(byId("deletion"), t("To be destroyed: waits for your confirmation."));
}

function startPapers(): void {
  showDeletion(Boolean(row.deletion));
  // A colleague who may only break the glass does not read who else opened it.
  show(byId("access-log"), row.may.play || !row.may.break_glass);
  byId("access-log").addEventListener("click", () => void showAccess(row, clinic.zone));
  const hold = byId("hold");
  show(hold, !row.shredded_at && (row.held ? row.may.release : row.may.hold) === true);
  say(hold, row.held ? t("End the legal hold …") : t("Legal hold …"));
  hold.addEventListener("click", () => askToHold(row, () => location.reload()));
  const remove = byId("delete");
  show(remove, row.may.delete && !row.shredded_at);
  remove.addEventListener("click", () =>
    askToDestroy(row, (state) => {
      if (state !== "asked") return location.reload();
      showDeletion(true);
      show(remove, false);
    }),
  );
}

// --- once it is open ----------------------------------------------------------------------------------------

function sourceOf(grant: string): (view: string) => string {
  return (view) =>
    `${address(row.recording_id, `views/${encodeURIComponent(view)}`)}?grant=${encodeURIComponent(grant)}`;
}

class Page {
  readonly film: Film;
  readonly tiles: readonly Tile[];
  readonly player: Player;
  readonly #opening: Opening;
  #drawnS = -1;
  /** A grant that has run out is renewed by itself, once until all pictures are there again. */
  #renewed = false;

  constructor(ready: Ready, opening: Opening) {
    this.#opening = opening;
    this.film = filmOf(ready);
    this.tiles = makeTiles(this.film, sourceOf(ready.grant), () => this.player?.tick());
    this.player = new Player(this.tiles, this.film, {
      onChange: () => this.#draw(),
      onJumped: (ms) => {
        byId("player").dataset.jumpMs = ms.toFixed(0);
        speakPlace(this.player.positionS, this.film.lengthS);
      },
      onGap: noteGap,
      onBlocked: () => this.#draw(),
    });
  }

  start(): void {
    const { film, player } = this;
    fillStage(byId("stage"), this.tiles);
    fill(byId("lane-rows"), ...lanesOf(film));
    fill(byId("marks"), scaleOf(film.lengthS));
    fillLegend(byId("legend"), film);
    say(byId("length"), place(film.lengthS));
    const jump = (atS: number): void => player.jumpTo(atS);
    fillMoments(byId("moments"), film, jump);
    startTransport(player, film.lengthS);
    startVoices(byId("languages"), byId("voices"), film, this.tiles);
    listenToScrubbing(byId("lanes"), film.lengthS, jump);
    listenToKeys(byId("player"), (action) => this.#press(action));
    byId("again").addEventListener("click", () => void this.#openAgain());
    show(byId("skip-row"), film.gaps.length > 0);
    window.addEventListener("hashchange", () => {
      const asked = momentIn(location.hash);
      if (asked !== null) jump(asked);
    });
    setInterval(() => player.tick(), TICK_MS);
    document.addEventListener("visibilitychange", () => player.tick());
    jump(momentIn(location.hash) ?? firstPictureS(film));
  }

  #press(action: KeyAction): void {
    const { player, film } = this;
    const acts: Readonly<Record<KeyAction, () => void>> = {
      toggle: () => player.toggle(),
      back: () => player.moveBy(-SKIP_S),
      on: () => player.moveBy(SKIP_S),
      start: () => player.jumpTo(0),
      end: () => player.jumpTo(film.lengthS),
      frame_back: () => player.step(-1),
      frame_on: () => player.step(1),
    };
    acts[action]();
  }

  #draw(): void {
    const at = this.player.positionS;
    drawTransport(this.player, this.film.lengthS);
    this.#renew();
    drawStage(byId("stage"), this.tiles, this.film, at);
    if (Math.abs(at - this.#drawnS) < 0.2) return;
    this.#drawnS = at;
    markMoment(byId("moments"), at);
  }

  #renew(): void {
    const broken = this.tiles.some((tile) => tile.media.error !== null);
    show(byId("broken"), broken && this.#renewed);
    if (this.tiles.every((tile) => tile.media.readyState > 0)) this.#renewed = false;
    if (!broken || this.#renewed) return;
    this.#renewed = true;
    void this.#openAgain();
  }

  /** The addresses of the media are good for a while only; opening once more gives new ones. */
  async #openAgain(): Promise<void> {
    try {
      const answer = await post<OpenAnswer>(address(row.recording_id, "open"), this.#opening);
      if (answer.state !== "ready") return;
      const source = sourceOf(answer.grant);
      const at = this.player.positionS;
      for (const tile of this.tiles) tile.media.src = source(tile.strip.view);
      this.player.jumpTo(at);
    } catch (error) {
      say(byId("problem"), faultWords(error));
    }
  }
}

function open(ready: Ready, opening: Opening): void {
  show(byId("gate"), false);
  for (const one of all("[data-when=open]")) show(one, true);
  showIntegrity(byId("integrity"), byId("warning"), ready.manifest);
  const page = new Page(ready, opening);
  page.start();
  const exports = byId("export");
  show(exports, ready.may.export);
  exports.addEventListener("click", () => showExport(row, ready.grant));
  byId("consents").addEventListener("click", () =>
    showConsents(ready.consents ?? [], ready.people, clinic.zone),
  );
  byId("play").focus();
}

startFrame(clinic.zone);
showFacts();
startPapers();

function closedWords(): string {
  if (row.shredded_at || row.state === "destroyed") return failedWords("destroyed");
  if (row.state === "recording") return failedWords("running");
  return row.may.play || row.may.break_glass ? "" : t("You may not watch this recording.");
}

const closed = closedWords();
if (closed) fill(byId("gate"), h("p", { class: "dim" }, closed));
else showGate(byId("gate-body"), row, open);
