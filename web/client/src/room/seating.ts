/** Who has a tile, in which order, and what it shows: decided by the view alone. Pure. */

import type { ConsultView, PersonView, Role } from "../protocol.gen.ts";

/** Whom each role looks at first; the rest follow in the order they were invited, oneself last. */
const ORDER: Record<Role, readonly Role[]> = {
  patient: ["physician", "interpreter"],
  companion: ["physician", "interpreter"],
  physician: ["patient", "interpreter"],
  interpreter: ["physician", "patient"],
  coordinator: ["patient", "physician", "interpreter"],
};

const WITH_TILE: ReadonlySet<PersonView["seat"]> = new Set(["present", "on_hold", "lost"]);

/** Waits for admission, even while their connection is away. Staff only: others never see who waits. */
export function isWaiting(person: PersonView): boolean {
  return person.seat === "waiting" || (person.seat === "lost" && person.waiting_since !== null);
}

/** Stands where the booked interpreter will be, for those who are not told who waits. */
function expectedInterpreter(like: PersonView): PersonView {
  return {
    ...like,
    id: "expected-interpreter",
    role: "interpreter",
    name: "",
    seat: "invited",
    connected: false,
    slot: null,
    can: [],
  };
}

/** The people with a tile. The booked interpreter keeps one before they come: they are never out of sight. */
export function seating(view: ConsultView): PersonView[] {
  const mine = view.me.participant;
  const me = view.people.find((person) => person.id === mine);
  const unseen =
    view.interpreter_booked && !view.session && !view.people.some((person) => person.role === "interpreter");
  const people = unseen && me ? [...view.people, expectedInterpreter(me)] : view.people;
  const ordered = inOrder({ ...view, people });
  return ordered.filter(
    (person) => person.id === mine || WITH_TILE.has(person.seat) || expected(view, person),
  );
}

/** Everyone in the order this viewer looks at them. */
export function inOrder(view: ConsultView): PersonView[] {
  const mine = view.me.participant;
  const order = ORDER[view.me.role];
  const rank = (person: PersonView): number => {
    if (person.id === mine) return 100;
    const at = order.indexOf(person.role);
    return at < 0 ? 50 : at;
  };
  return [...view.people].sort((a, b) => rank(a) - rank(b));
}

function expected(view: ConsultView, person: PersonView): boolean {
  if (person.seat !== "invited" && person.seat !== "waiting" && person.seat !== "left") return false;
  // Once somebody interprets, whoever was booked and has not come leaves no empty place.
  if (person.role === "interpreter") return view.session === null || person.id === view.session.interpreter;
  return person.role === "patient" && view.me.role !== "companion";
}

/** During a briefing guests wait apart: the last picture of them is not what they do now. */
export function asSeen(view: ConsultView, person: PersonView): PersonView {
  const guest = person.role === "patient" || person.role === "companion";
  const apart = view.session?.stage === "briefing" && guest && person.seat === "present";
  return apart && person.id !== view.me.participant ? { ...person, seat: "on_hold" } : person;
}

/** Why a tile has no picture, or `picture`. */
export type Showing = "picture" | "camera_off" | "lost" | "on_hold" | "waiting" | "invited" | "left";

export function showing(person: PersonView): Showing {
  switch (person.seat) {
    case "present":
      if (!person.connected) return "lost";
      return person.video_on ? "picture" : "camera_off";
    case "lost":
      return isWaiting(person) ? "waiting" : "lost";
    case "on_hold":
      return "on_hold";
    case "waiting":
      return "waiting";
    case "left":
      return "left";
    default:
      return "invited";
  }
}
