/** A calendar entry (RFC 5545) for the visit. It holds no name of the patient and not the link. */

export interface Entry {
  readonly uid: string;
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly madeAt: Date;
  readonly title: string;
  readonly description: string;
}

const LINE_OCTETS_MAX = 75;
const REMINDER = "-PT30M";

/** The text of an .ics file. Times are in UTC, so every calendar shows them in its own zone. */
export function calendarFile(entry: Entry): string {
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Meridian//Visit//EN",
    "METHOD:PUBLISH",
    "BEGIN:VEVENT",
    `UID:${escaped(entry.uid)}`,
    `DTSTAMP:${utc(entry.madeAt)}`,
    `DTSTART:${utc(entry.startsAt)}`,
    `DTEND:${utc(entry.endsAt)}`,
    `SUMMARY:${escaped(entry.title)}`,
    `DESCRIPTION:${escaped(entry.description)}`,
    "CLASS:PRIVATE",
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    `TRIGGER:${REMINDER}`,
    `DESCRIPTION:${escaped(entry.title)}`,
    "END:VALARM",
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  return `${lines.flatMap(folded).join("\r\n")}\r\n`;
}

function utc(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d+/g, "");
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, "\\$&").replace(/\r?\n/g, "\\n");
}

/** Continuation lines begin with a space; a character is never cut in two (section 3.1). */
function folded(line: string): string[] {
  const lines: string[] = [];
  const encoder = new TextEncoder();
  let current = "";
  let octets = 0;
  for (const character of line) {
    const size = encoder.encode(character).length;
    if (octets + size > LINE_OCTETS_MAX) {
      lines.push(current);
      current = " ";
      octets = 1;
    }
    current += character;
    octets += size;
  }
  return [...lines, current];
}
