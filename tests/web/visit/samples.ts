/** Views and people for tests of the seat page. */

import type { ConsultView, PersonView, Role } from "../../../web/client/src/protocol.gen.ts";

export function person(changes: Partial<PersonView> = {}): PersonView {
  return {
    id: "p",
    role: "patient",
    name: "Salma Al-Rashidi",
    language: "ar",
    seat: "present",
    connected: true,
    audio_on: true,
    video_on: true,
    sharing: false,
    connection_level: "good",
    slot: 0,
    can: [],
    waiting_since: null,
    consented: null,
    further_device_waiting: false,
    identity_confirmed: null,
    birth_year: null,
    time_zone: null,
    country: null,
    city: null,
    location: null,
    emergency_number: null,
    device_check: null,
    ...changes,
  };
}

interface Changes {
  readonly screen?: ConsultView["screen"];
  readonly seat?: PersonView["seat"];
  readonly role?: Role;
  readonly people?: readonly PersonView[];
  readonly can?: ConsultView["can"];
  readonly must?: { readonly consent?: boolean; readonly location?: boolean };
  readonly interpreter?: boolean;
}

export function view({
  screen = "room",
  seat = "present",
  role = "physician",
  people = [],
  can = [],
  must = {},
  interpreter = true,
}: Changes = {}): ConsultView {
  const at = "2026-11-24T16:30:00Z";
  return {
    type: "consult_view",
    consult_id: "c",
    version: 1,
    presence_rev: 1,
    server_time: at,
    phase: "in_progress",
    screen,
    starts_at: at,
    ends_at: at,
    opens_at: at,
    started_at: at,
    ended_at: null,
    me: {
      participant: "me",
      role,
      seat,
      admitted: seat === "present",
      must_consent: must.consent ?? false,
      must_tell_location: must.location ?? false,
      elsewhere: false,
      asks_for_seat: false,
    },
    waiting_for: null,
    physician_name: "Dr. Elena Marlowe",
    interpreter_booked: interpreter,
    interpreting: ["ar", "en"],
    search: null,
    session: null,
    recording: null,
    hearing: [],
    case: null,
    notices: [],
    people: [...people],
    sharing: null,
    separated: false,
    chat_seq: 0,
    can: [...can],
    clinic_name: "Clinic",
    clinic_phone: "",
    continued_as: null,
  };
}
