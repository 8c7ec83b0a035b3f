/** JSON requests to our own server: same origin, bounded in time, every failure a `Failure` with a stable code. */

const TIMEOUT_MS = 15_000;

export class Failure extends Error {
  /** Stable word for what went wrong: the server's code, or `offline`, `timeout`, `internal`. */
  readonly code: string;
  readonly status: number;
  readonly supportId: string | null;

  constructor(code: string, status = 0, supportId: string | null = null) {
    super(code);
    this.code = code;
    this.status = status;
    this.supportId = supportId;
  }
}

interface ErrorBody {
  readonly code?: string;
  readonly support_id?: string;
}

/** POST a JSON body and return the JSON answer; throws Failure, also when `stop` is aborted. */
export async function post<T>(
  path: string,
  body: unknown = {},
  stop: AbortController = new AbortController(),
): Promise<T> {
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
      signal: stop.signal,
    });
    const answer: unknown = await response.json().catch(() => ({}));
    if (response.ok) return answer as T;
    const { code, support_id } = (answer ?? {}) as ErrorBody;
    throw new Failure(code ?? "internal", response.status, support_id ?? null);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(stop.signal.aborted ? "timeout" : "offline");
  } finally {
    clearTimeout(timer);
  }
}
