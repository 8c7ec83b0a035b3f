/** The stage: a tile for each person, the shared screen, and the ring around whoever speaks. */

import { h, icon } from "../dom.ts";
import { t } from "../i18n.ts";
import { live } from "../media/devices.ts";
import { loudness } from "../media/stats.ts";
import type { ConsultView } from "../protocol.gen.ts";
import { isPatient, personOf, type Visit } from "../visit-context.ts";
import { Ears } from "./ears.ts";
import { asSeen, seating } from "./seating.ts";
import { Tile } from "./tile.ts";

const LISTEN_EVERY_MS = 160;
/** As often as sound is turned down and up: in steps nobody hears. */
const HEAR_EVERY_MS = 40;
const SPEAKING_LEVEL = 0.01;
/** The ring stays over the pauses between words. */
const SPEAKING_HOLD_MS = 700;

export class Stage {
  /** The browser wants a tap before it plays sound. */
  blocked = false;
  onblocked: () => void = () => {};
  private readonly tiles = new Map<string, Tile>();
  private sharer: string | null = null;
  private present: ReadonlyMap<string, string> | null = null;
  private readonly spoke = new Map<string, number>();
  private readonly screenVideo: HTMLVideoElement;
  private readonly screenFigure: HTMLElement;
  private readonly screenWords: HTMLElement;
  private readonly timers: readonly number[];
  private readonly ears = new Ears();
  private levels: readonly number[] = [];
  private readonly visit: Visit;
  private readonly root: HTMLElement;

  constructor(visit: Visit, root: HTMLElement) {
    this.visit = visit;
    this.root = root;
    this.screenVideo = h("video", { playsinline: true });
    this.screenVideo.muted = true;
    this.screenWords = h("span");
    this.screenFigure = h(
      "figure",
      { class: "doc", "data-screen-share": true, hidden: true },
      this.screenVideo,
      h("figcaption", { class: "plate" }, icon("share"), " ", this.screenWords),
    );
    root.append(this.screenFigure);
    this.timers = [
      window.setInterval(() => this.listen(), LISTEN_EVERY_MS),
      window.setInterval(() => this.hear(), HEAR_EVERY_MS),
    ];
  }

  update(view: ConsultView): void {
    const people = seating(view);
    const here = new Set(people.map((person) => person.id));
    for (const [id, tile] of this.tiles) {
      if (here.has(id)) continue;
      tile.close();
      this.tiles.delete(id);
    }
    people.forEach((person, at) => {
      const self = person.id === view.me.participant;
      const tile = this.tiles.get(person.id) ?? new Tile(person, self, isPatient(view.me.role));
      this.tiles.set(person.id, tile);
      // The share, hidden or not, stays the first child; moving an element would interrupt its picture.
      if (this.root.children[at + 1] !== tile.figure)
        this.root.insertBefore(tile.figure, this.root.children[at + 1] ?? null);
      tile.update(asSeen(view, person));
    });
    this.announce(view);
    this.root.dataset.people = String(people.length);
    this.share(view);
    this.attach(view);
  }

  /** Say who came and who went, for those who do not see the tiles. */
  private announce(view: ConsultView): void {
    const others = view.people.filter((one) => one.seat === "present" && one.id !== view.me.participant);
    const here = new Map(others.map((one) => [one.id, one.name]));
    const before = this.present;
    this.present = here;
    if (!before) return;
    for (const [id, name] of here)
      if (!before.has(id)) this.visit.announce(t("{name} is in the visit now.", { name }));
    for (const [id, name] of before) if (!here.has(id)) this.visit.announce(t("{name} is away.", { name }));
  }

  private share(view: ConsultView): void {
    const sharer = personOf(view, view.sharing);
    const own = view.sharing === view.me.participant;
    // The last picture of one person's screen is never shown under another's name.
    if (view.sharing !== this.sharer) this.screenVideo.srcObject = null;
    this.sharer = view.sharing;
    const on = sharer !== undefined;
    this.root.classList.toggle("sharing", on && !own);
    this.screenFigure.hidden = !on || own;
    this.screenWords.textContent = sharer ? t("{name} shows a screen", { name: sharer.name }) : "";
  }

  /** Give each tile what its owner sends, as the view says who owns which slot. */
  attach(view: ConsultView): void {
    const { current } = this.visit.media.connection;
    const { devices } = this.visit.media;
    for (const person of view.people) {
      const tile = this.tiles.get(person.id);
      if (!tile) continue;
      if (person.id === view.me.participant) {
        tile.attach(live(devices.camera) ? devices.camera : null, null);
        tile.mirror(devices.facing === "user");
        continue;
      }
      const routed = person.slot !== null && person.seat === "present";
      const video = routed ? current?.videoSlot(person.slot ?? 0)?.track : null;
      const audio = routed ? current?.audioSlot(person.slot ?? 0)?.track : null;
      tile.attach(video ?? null, audio ?? null);
    }
    const screen =
      view.sharing && view.sharing !== view.me.participant ? current?.screenSlot.track : undefined;
    const shown = (this.screenVideo.srcObject as MediaStream | null)?.getTracks()[0];
    if (shown !== screen) {
      this.screenVideo.srcObject = screen ? new MediaStream([screen]) : null;
      if (screen) void this.screenVideo.play().catch(() => {}); // Muted and inline: only a newer picture interrupts it.
    }
    void this.play();
  }

  /** Play everybody's sound; from a tap this works in every browser. */
  async play(): Promise<void> {
    const { speaker } = this.visit.media.devices.choice;
    const heard = await Promise.all([...this.tiles.values()].map((tile) => tile.listen(speaker)));
    const blocked = heard.includes(false);
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.onblocked();
  }

  /** Who has spoken within the last moments. */
  speaks(id: string): boolean {
    return performance.now() - (this.spoke.get(id) ?? Number.NEGATIVE_INFINITY) < SPEAKING_HOLD_MS;
  }

  private hear(): void {
    const { view } = this.visit;
    const { current } = this.visit.media.connection;
    if (!view || !current) return;
    this.levels = loudness(current);
    this.ears.step(view, this.levels, (id) => this.tiles.get(id), performance.now());
  }

  /** Whether somebody is heard at this moment. */
  loud(id: string): boolean {
    const slot = personOf(this.visit.view, id)?.slot;
    return slot != null && (this.levels[slot] ?? 0) > SPEAKING_LEVEL;
  }

  /** Milliseconds since the last packet of somebody's sound; 0 where none is to come. */
  silentMs(id: string): number {
    const { view } = this.visit;
    const person = personOf(view, id);
    const off = view?.hearing.find((one) => one.participant === id)?.level === "off";
    const slot = person?.slot ?? null;
    if (!person || slot === null || !person.audio_on || person.seat !== "present" || off) return 0;
    const source = this.visit.media.connection.current?.audioSlot(slot)?.getSynchronizationSources()[0];
    return source ? performance.timeOrigin + performance.now() - source.timestamp : 0;
  }

  private listen(): void {
    const { view } = this.visit;
    const { current } = this.visit.media.connection;
    if (!view || !current) return;
    const { levels } = this;
    const now = performance.now();
    for (const person of view.people) {
      const tile = this.tiles.get(person.id);
      if (!tile || person.slot === null) continue;
      if (person.audio_on && (levels[person.slot] ?? 0) > SPEAKING_LEVEL) this.spoke.set(person.id, now);
      tile.speaking(this.speaks(person.id));
    }
  }

  close(): void {
    for (const timer of this.timers) window.clearInterval(timer);
    for (const tile of this.tiles.values()) tile.close();
    this.tiles.clear();
    this.screenVideo.srcObject = null;
  }
}
