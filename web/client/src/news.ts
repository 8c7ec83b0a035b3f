/** Which of the server's views is news: one connection's views may overtake each other on the way. */

interface Typed {
  readonly type: string;
}

interface Revised {
  readonly version?: number;
  readonly presence_rev?: number;
  readonly revision?: number;
}

/** A test whether a message is newer than every one of its type before it; messages without a revision always are. */
export function newsFilter(): (message: Typed) => boolean {
  const seen = new Map<string, readonly [number, number]>();
  return (message) => {
    const { version, presence_rev, revision: whole } = message as Revised;
    if (version === undefined && whole === undefined) return true;
    const revision = [version ?? whole ?? 0, presence_rev ?? 0] as const;
    const last = seen.get(message.type);
    if (last && (revision[0] < last[0] || (revision[0] === last[0] && revision[1] < last[1]))) return false;
    seen.set(message.type, revision);
    return true;
  };
}
