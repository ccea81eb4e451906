/** The page's words in the reader's language. A new language is one file in `words/` and one line here. */
import { en, type Words } from "./words/en";

interface Language {
  /** What its speakers call it. */
  name: string;
  rightToLeft?: boolean;
  load: () => Promise<Words>;
}

/** English is there from the start; the others come when they are spoken. */
export const LANGUAGES: Readonly<Record<string, Language>> = {
  en: { name: "English", load: async () => en },
  es: { name: "Español", load: async () => (await import("./words/es")).es },
  fr: { name: "Français", load: async () => (await import("./words/fr")).fr },
  id: { name: "Bahasa Indonesia", load: async () => (await import("./words/id")).id },
  pt: { name: "Português", load: async () => (await import("./words/pt")).pt },
  sw: { name: "Kiswahili", load: async () => (await import("./words/sw")).sw },
};

const KEPT = "datacommons-language";

export type Key = keyof Words;

/** A text from data: plain, or by language. */
export type Text = string | Readonly<Record<string, string>>;

/** The reader's locale, as far as the page speaks it: figures follow it too. */
export const locale: string = choose();
export const language: string = primary(locale);
export const direction: "ltr" | "rtl" = LANGUAGES[language]?.rightToLeft ? "rtl" : "ltr";

// Without its words the page is better in English than not at all.
const words: Words = (await LANGUAGES[language]?.load().catch(() => undefined)) ?? en;

/** The language of the link, else the one chosen here before, else the browser's. */
function choose(): string {
  const linked = new URLSearchParams(location.hash.slice(1)).get("lang");
  const wanted = [linked, kept(), ...navigator.languages].filter((tag): tag is string => Boolean(tag));
  const spoken = wanted.find((tag) => primary(tag) in LANGUAGES) ?? "en";
  return navigator.languages.find((tag) => primary(tag) === spoken) ?? spoken;
}

/** Speak another language from now on. */
export function speak(tag: string): void {
  try {
    localStorage.setItem(KEPT, tag);
  } catch {
    // A browser that keeps nothing is told by the address alone.
  }
  const fields = location.hash.slice(1).split("&").filter((field) => field && !field.startsWith("lang="));
  history.replaceState(null, "", `#${[`lang=${tag}`, ...fields].join("&")}`);
  location.reload();
}

function kept(): string | undefined {
  try {
    return localStorage.getItem(KEPT) ?? undefined;
  } catch {
    return undefined;
  }
}

function primary(tag: string): string {
  return tag.toLowerCase().split("-")[0] ?? tag;
}

/** The words of a key with its {names} filled in. */
export function say(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return words[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A text from data in the reader's language, else in English, else in the first there is. */
export function inReadersLanguage(text: Text): string {
  if (typeof text === "string") return text;
  return text[locale] ?? text[language] ?? text["en"] ?? Object.values(text)[0] ?? "";
}

/** The first sentence of a text. */
export function firstSentence(text: string): string {
  if (!("Segmenter" in Intl)) return text;
  const [first] = new Intl.Segmenter(locale, { granularity: "sentence" }).segment(text);
  return first?.segment.trim() ?? text;
}
