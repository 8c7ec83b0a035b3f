/** Messages of the page's language. The English sentence is the key; a missing translation shows it. */

export type Values = Readonly<Record<string, string | number>>;

/** What a generated messages script hands over: translations by key and the language's plural rule. */
export interface Catalog {
  readonly messages: Readonly<Record<string, string | readonly string[]>>;
  readonly plural: (n: number) => number;
}

/** Joins a context to its message, as gettext does. */
const CONTEXT_END = "\u0004";
const ENGLISH: Catalog = { messages: {}, plural: (n) => (n === 1 ? 0 : 1) };

let catalog = ENGLISH;

/** Called once by the page's messages script, which runs before the page's own script. */
export function install(loaded: Catalog): void {
  catalog = loaded;
}

function filled(message: string, values: Values = {}): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => isolated(message, values[name] ?? whole));
}

const RIGHT_TO_LEFT = /[\u0590-\u08ff]/;
const LETTER = /\p{L}/u;

/** A name in the other direction must not reorder the sentence around it. */
function isolated(message: string, value: string | number): string {
  const text = String(value);
  const foreign = LETTER.test(text) && RIGHT_TO_LEFT.test(text) !== RIGHT_TO_LEFT.test(message);
  return foreign ? `\u2068${text}\u2069` : text;
}

function one(key: string, english: string): string {
  const found = catalog.messages[key];
  return typeof found === "string" ? found : english;
}

/** The sentence in the page's language, `{name}` filled from values. */
export function t(message: string, values?: Values): string {
  return filled(one(message, message), values);
}

/** Like t, for a word whose translation depends on where it stands. */
export function tc(context: string, message: string, values?: Values): string {
  return filled(one(context + CONTEXT_END + message, message), values);
}

/** The form for n things, by the language's own rule; `{n}` is n. */
export function tn(singular: string, plural: string, n: number, values?: Values): string {
  const forms = catalog.messages[singular];
  const form = Array.isArray(forms) ? forms[catalog.plural(n)] : undefined;
  return filled(form ?? (n === 1 ? singular : plural), { n, ...values });
}

/** Language tag of the page, as the server set it on <html>. */
export function language(): string {
  return document.documentElement.lang || "en";
}
