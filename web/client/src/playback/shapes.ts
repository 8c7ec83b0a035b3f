/** What the server says about recordings. Times in a recording are microseconds since its beginning. */

import type { Role } from "../protocol.gen.ts";

export type Purpose = "treatment" | "patient_request" | "quality" | "legal";
export type Status = "complete" | "torn" | "tampered" | "missing";
export type RowState = Status | "preparing" | "recording" | "destroyed";

/** What this person may do with a recording. `break_glass`: open it in an emergency, with a reason. */
export interface May {
  readonly play: boolean;
  readonly export: boolean;
  readonly delete: boolean;
  readonly break_glass?: boolean;
  readonly hold?: boolean;
  readonly release?: boolean;
}

/** One recording in the list, and what its page knows before it is opened. */
export interface Row {
  readonly recording_id: string;
  readonly consult_id: string;
  readonly title: string;
  readonly patient: string;
  readonly physician: string;
  readonly started_at: string | null;
  readonly duration_s: number | null;
  readonly what: "audio" | "video";
  readonly state: RowState;
  readonly keep_until: string | null;
  readonly held?: boolean;
  /** Somebody asked to destroy it; a physician of the consult confirms. */
  readonly deletion?: { readonly by: string; readonly reason: string } | null;
  readonly shredded_at: string | null;
  readonly may: May;
}

type SpanUs = readonly [number, number];

export interface View {
  readonly view: string;
  readonly participant: number;
  readonly kind: "person" | "screen";
  readonly mime: string;
  readonly bytes: number;
  readonly duration_us: number;
  readonly has_video: boolean;
  readonly spans: readonly SpanUs[];
  readonly speech: readonly SpanUs[];
}

export interface Part {
  readonly part: number;
  readonly status: Status;
  readonly why: string;
  readonly records: number;
  readonly size_bytes: number;
  readonly began_us: number | null;
  readonly ended_us: number | null;
  readonly ended: string;
}

export interface Manifest {
  readonly status: Status;
  readonly parts: readonly Part[];
  readonly duration_us: number;
  readonly epoch_ms: number;
  readonly what: "audio" | "video";
  readonly gaps: readonly SpanUs[];
  readonly views: readonly View[];
}

export interface Person {
  readonly index: number;
  readonly name: string;
  readonly role: Role;
  readonly language: string;
}

export type EventKind =
  | "recording_started"
  | "recording_paused"
  | "recording_resumed"
  | "recording_stopped"
  | "joined"
  | "left"
  | "lost"
  | "returned"
  | "consented"
  | "revoked"
  | "refused"
  | "interpreting_started"
  | "part_lost";

export interface TimelineEvent {
  readonly at_us: number;
  readonly kind: EventKind;
  readonly person?: number | null;
  readonly why?: string | null;
}

export interface Consent {
  readonly person: number | string;
  readonly purpose: string;
  readonly decision: "agreed" | "refused" | "revoked";
  readonly language: string;
  readonly at: string;
}

/** Everything a recording is shown from; `grant` opens its media for a while. */
export interface Ready {
  readonly state: "ready";
  readonly manifest: Manifest;
  readonly people: readonly Person[];
  readonly timeline: readonly TimelineEvent[];
  readonly consents?: readonly Consent[];
  readonly may: May;
  readonly grant: string;
}

export type OpenAnswer =
  | Ready
  | { readonly state: "preparing"; readonly done: number }
  | { readonly state: "failed"; readonly code: string };

export interface ExportAnswer {
  readonly files: readonly { readonly view: string; readonly name: string; readonly url: string }[];
  readonly grant?: string;
}

export type ComposeAnswer =
  | { readonly state: "running"; readonly done: number }
  | { readonly state: "ready" }
  | { readonly state: "failed"; readonly code: string };

export interface AccessRow {
  readonly at: string;
  readonly who: string;
  readonly role: Role | "clock" | "server";
  readonly kind: string;
  readonly purpose: string | null;
}

/** Somebody opened a recording without a part in its consult, and no coordinator has looked at that yet. */
export interface Alert {
  readonly alert: string;
  readonly recording_id: string;
  readonly who: string;
  readonly at: string;
  readonly reason: string;
}

/** The address of something a recording's page asks for. */
export function address(recordingId: string, what: string): string {
  return `/api/recordings/${encodeURIComponent(recordingId)}/${what}`;
}
