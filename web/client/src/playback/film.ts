/** A recording as the page plays it: one time line in seconds, its pictures and voices, and its moments. */

import type { EventKind, Manifest, Person, Ready, TimelineEvent, View } from "./shapes.ts";
import { inSeconds, type Span } from "./spans.ts";

const US_PER_S = 1_000_000;
/** What made a gap was noted so long before or after its first missing moment. */
const REASON_NEAR_S = 5;
/** Whoever agreed before this moment agreed to the recording's beginning. */
const BEGINNING_S = 1;
/** Whose picture begins so soon was there from the beginning. */
const FIRST_S_MAX = 2;
const SHOWN_S = 0.1;
const TICKS_MAX = 6;
const TICK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600] as const;

/** A part of the time line of which nothing was kept; `why` is a code of the server, or "". */
export interface Gap {
  readonly startS: number;
  readonly endS: number;
  readonly why: string;
}

/** A view with its person: what a tile shows and a voice says. `person` is null for one who is not known. */
export interface Strip {
  readonly view: string;
  readonly kind: "person" | "screen";
  readonly person: Person | null;
  readonly hasVideo: boolean;
  readonly spans: readonly Span[];
  readonly speech: readonly Span[];
}

export interface Moment {
  readonly atS: number;
  readonly kind: EventKind | "gap";
  readonly person: Person | null;
  readonly why: string;
  /** Of a gap its length in seconds, of the beginning how many had agreed; else 0. */
  readonly amount: number;
}

export interface Film {
  readonly lengthS: number;
  readonly gaps: readonly Gap[];
  readonly strips: readonly Strip[];
  readonly moments: readonly Moment[];
  readonly people: readonly Person[];
}

export function filmOf({ manifest, people, timeline }: Ready): Film {
  const gaps = gapsOf(manifest, timeline);
  const known = new Map(people.map((one) => [one.index, one]));
  return {
    lengthS: manifest.duration_us / US_PER_S,
    gaps,
    strips: [...manifest.views].sort(inOrder).map((view) => stripOf(view, known)),
    moments: momentsOf(timeline, gaps, known),
    people: manifest.views.flatMap((view) => known.get(view.participant) ?? []).filter(isFirst),
  };
}

/** Where a film that is opened stands: its first pictures come a moment after its beginning. */
export function firstPictureS(film: Film): number {
  const begins = film.strips.flatMap(({ spans }) => spans[0]?.[0] ?? []).filter((atS) => atS < FIRST_S_MAX);
  const lastS = Math.max(0, ...begins);
  return lastS > 0 ? lastS + SHOWN_S : 0;
}

function isFirst<T>(one: T, at: number, all: readonly T[]): boolean {
  return all.indexOf(one) === at;
}

/** People in the order of their places, then the screens. */
function inOrder(one: View, other: View): number {
  if (one.kind !== other.kind) return one.kind === "person" ? -1 : 1;
  return one.participant - other.participant;
}

function stripOf(view: View, known: ReadonlyMap<number, Person>): Strip {
  return {
    view: view.view,
    kind: view.kind,
    person: known.get(view.participant) ?? null,
    hasVideo: view.has_video,
    spans: inSeconds(view.spans),
    speech: inSeconds(view.speech),
  };
}

function gapsOf(manifest: Manifest, timeline: readonly TimelineEvent[]): Gap[] {
  const reasons = timeline.filter((one) => one.kind === "recording_paused" || one.kind === "part_lost");
  return inSeconds(manifest.gaps).map(([startS, endS]) => {
    const near = reasons.filter(({ at_us }) => {
      const atS = at_us / US_PER_S;
      return atS >= startS - REASON_NEAR_S && atS <= Math.min(endS, startS + REASON_NEAR_S);
    });
    const reason = near.find((one) => one.kind === "part_lost") ?? near[0];
    return { startS, endS, why: reason?.kind === "part_lost" ? "part_lost" : (reason?.why ?? "") };
  });
}

/** What happened, in order: a pause and going on again are one gap, agreements at the beginning are counted. */
function momentsOf(
  timeline: readonly TimelineEvent[],
  gaps: readonly Gap[],
  known: ReadonlyMap<number, Person>,
): Moment[] {
  const agreedFirst = timeline.filter((one) => one.kind === "consented" && isBeginning(one)).length;
  const kept = timeline.filter(
    (one) =>
      !(one.kind === "consented" && isBeginning(one)) &&
      one.kind !== "recording_resumed" &&
      !((one.kind === "recording_paused" || one.kind === "part_lost") && madeGap(one, gaps)),
  );
  const events = kept.map(
    (one): Moment => ({
      atS: one.at_us / US_PER_S,
      kind: one.kind,
      person: known.get(one.person ?? -1) ?? null,
      why: one.why ?? "",
      amount: one.kind === "recording_started" ? agreedFirst : 0,
    }),
  );
  const pauses = gaps.map(
    (gap): Moment => ({
      atS: gap.startS,
      kind: "gap",
      person: null,
      why: gap.why,
      amount: gap.endS - gap.startS,
    }),
  );
  return [...events, ...pauses].sort((one, other) => one.atS - other.atS);
}

function isBeginning(one: TimelineEvent): boolean {
  return one.at_us <= BEGINNING_S * US_PER_S;
}

function madeGap(one: TimelineEvent, gaps: readonly Gap[]): boolean {
  const atS = one.at_us / US_PER_S;
  return gaps.some((gap) => atS >= gap.startS - REASON_NEAR_S && atS <= gap.endS);
}

export function gapAt(gaps: readonly Gap[], atS: number): Gap | null {
  return gaps.find((gap) => gap.startS <= atS && atS < gap.endS) ?? null;
}

/** Where one is after so many seconds of what was kept: gaps on the way do not count. */
export function moved(gaps: readonly Gap[], fromS: number, byS: number): number {
  let to = fromS + byS;
  for (const { startS, endS } of byS < 0 ? [...gaps].reverse() : gaps) {
    if (byS > 0 && startS >= fromS && startS < to) to += endS - startS;
    if (byS < 0 && endS <= fromS && endS > to) to -= endS - startS;
  }
  return to;
}

/** The languages people speak, each once; an interpreter speaks more than one and names none. */
export function languagesOf(people: readonly Person[]): string[] {
  return people
    .filter((one) => one.role !== "interpreter" && one.language)
    .map((one) => one.language)
    .filter(isFirst);
}

/** Whether a voice is heard when one language alone is listened to; interpreters speak all of them. */
export function isHeard(person: Person | null, language: string | null): boolean {
  return language === null || person?.role === "interpreter" || person?.language === language;
}

/** Where the time line has its marks: round times, not too many, and the end. */
export function ticksOf(lengthS: number): number[] {
  const step = TICK_STEPS_S.find((one) => lengthS / one < TICKS_MAX) ?? Math.ceil(lengthS / TICKS_MAX);
  const marks: number[] = [];
  // None so near to the end that the two would be written over each other.
  for (let at = 0; at < lengthS - step / 2; at += step) marks.push(at);
  return [...marks, lengthS];
}

/** Seconds in an address like `#t=123`, or null. */
export function momentIn(fragment: string): number | null {
  const found = /^#t=(\d{1,6}(?:\.\d{1,3})?)$/.exec(fragment);
  return found ? Number(found[1]) : null;
}
