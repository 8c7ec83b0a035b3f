/** Clocks, dates and waiting times. Gregorian calendar and Latin digits everywhere, as in mail and on the server. */

import { language, t, tc, tn } from "./i18n.ts";

/** A time zone with the city that people know it by, in the page's language. */
export interface Zone {
  readonly id: string;
  readonly city: string;
}

/** One instant where someone is: "7:30 PM", "Tuesday, 24 November", "Kuwait City". */
export interface LocalTime {
  readonly clock: string;
  readonly date: string;
  readonly weekday: string;
  readonly city: string;
}

const PINNED = "-u-ca-gregory-nu-latn";
const MINUTE_MS = 60_000;

/** Names that browsers of 2022 do not know yet, and the ones they do. */
const OLDER_ZONES: Readonly<Record<string, string>> = {
  "Europe/Kyiv": "Europe/Kiev",
  "America/Nuuk": "America/Godthab",
  "America/Ciudad_Juarez": "America/Ojinaga",
  "Asia/Kolkata": "Asia/Calcutta",
  "Asia/Yangon": "Asia/Rangoon",
  "Asia/Ho_Chi_Minh": "Asia/Saigon",
  "Asia/Kathmandu": "Asia/Katmandu",
  "Pacific/Kanton": "Pacific/Enderbury",
};

function formatter(tag: string, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = tag + PINNED;
  try {
    return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat(locale, { ...options, timeZone: OLDER_ZONES[zone] ?? "UTC" });
  }
}

interface Numbers {
  readonly year: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: string;
}

function numbers(at: Date, zone: string): Numbers {
  const options = {
    year: "numeric",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  } as const;
  const parts = formatter("en", zone, options).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes): string =>
    parts.find((one) => one.type === type)?.value ?? "0";
  return {
    year: Number(part("year")),
    day: Number(part("day")),
    hour: Number(part("hour")) % 24,
    minute: part("minute"),
  };
}

/** Twelve-hour clock with its half of the day in words. */
export function clock(at: Date, zone: string): string {
  const { hour, minute } = numbers(at, zone);
  const time = `${hour % 12 || 12}:${minute}`;
  if (hour < 12) return t("{time} AM", { time });
  // Some languages have a word of its own for the hour after noon.
  return hour === 12 ? tc("noon", "{time} PM", { time }) : t("{time} PM", { time });
}

export function weekday(at: Date, zone: string): string {
  return formatter(language(), zone, { weekday: "long" }).format(at);
}

/** "Tuesday, 24 November"; with the year when asked. */
export function date(at: Date, zone: string, withYear = false): string {
  const { day, year } = numbers(at, zone);
  // With the day beside it, so that languages which decline the name of the month give the right form.
  const parts = formatter(language(), zone, { day: "numeric", month: "long" }).formatToParts(at);
  const month = parts.find((one) => one.type === "month")?.value ?? "";
  const values = { weekday: weekday(at, zone), day, month, year };
  return withYear ? t("{weekday}, {day} {month} {year}", values) : t("{weekday}, {day} {month}", values);
}

/** The date in a zone as YYYY-MM-DD. */
export function dayIn(at: Date, zone: string): string {
  const parts = formatter("en", zone, { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(
    at,
  );
  const part = (type: Intl.DateTimeFormatPartTypes): string =>
    parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** The time of day in a zone as HH:MM, of 24 hours. */
export function timeIn(at: Date, zone: string): string {
  const { hour, minute } = numbers(at, zone);
  return `${String(hour).padStart(2, "0")}:${minute}`;
}

/** An instant in a zone; the date has its year unless that is this year. */
export function localTime(at: Date, zone: Zone): LocalTime {
  const withYear = at.getUTCFullYear() !== new Date().getUTCFullYear();
  return {
    clock: clock(at, zone.id),
    date: date(at, zone.id, withYear),
    weekday: weekday(at, zone.id),
    city: zone.city,
  };
}

/** Whether two zones show different clocks at this instant. */
export function clocksDiffer(at: Date, one: string, other: string): boolean {
  return clock(at, one) !== clock(at, other) || weekday(at, one) !== weekday(at, other);
}

/** The zone this device is set to; its city is the zone's own English name. */
export function deviceZone(): Zone {
  const id = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  return { id, city: (id.split("/").pop() ?? id).replaceAll("_", " ") };
}

/** Whole minutes from one instant to another, rounded up, never negative. */
export function minutesBetween(from: Date, to: Date): number {
  return Math.max(0, Math.ceil((to.getTime() - from.getTime()) / MINUTE_MS));
}

/** "5 minutes", "2 hours", "3 days": the largest unit that fits, rounded up. */
export function duration(minutes: number): string {
  if (minutes < 90) return tn("{n} minute", "{n} minutes", minutes);
  if (minutes < 36 * 60) return tn("{n} hour", "{n} hours", Math.ceil(minutes / 60));
  return tn("{n} day", "{n} days", Math.ceil(minutes / (24 * 60)));
}

/** The instant a wall clock shows in a zone ("2026-11-24", "08:30"), the later one where the clock repeats. */
export function instant(day: string, time: string, zone: string): Date | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || !/^\d{2}:\d{2}$/.test(time)) return null;
  const wanted = Date.parse(`${day}T${time}:00Z`);
  if (Number.isNaN(wanted)) return null;
  let guess = wanted;
  // Twice: the offset at the first guess may be that of the other side of a clock change.
  for (let round = 0; round < 2; round += 1) guess = wanted - offsetMs(new Date(guess), zone);
  return new Date(guess);
}

function offsetMs(at: Date, zone: string): number {
  const options = {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    hourCycle: "h23",
  } as const;
  const parts = formatter("en", zone, options).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((one) => one.type === type)?.value);
  const shown = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour") % 24,
    part("minute"),
    part("second"),
  );
  return shown - Math.floor(at.getTime() / 1000) * 1000;
}
