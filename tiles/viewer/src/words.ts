/** The page's words in the reader's language. A new language is one file in `words/` and one line here. */
import { en, type Words } from "./words/en";
import { es } from "./words/es";

const languages: Record<string, Words> = { en, es };

/** A text from data: plain, or by language. */
export type Text = string | Readonly<Record<string, string>>;

/** The reader's locale, as far as the page speaks it: figures follow it too. */
export const locale: string =
  navigator.languages.find((tag) => primary(tag) in languages) ?? "en";
export const language: string = primary(locale);

const words = languages[language] ?? en;

function primary(tag: string): string {
  return tag.toLowerCase().split("-")[0] ?? tag;
}

/** The words of a key with its {names} filled in. */
export function say(key: keyof Words, values: Readonly<Record<string, string | number>> = {}): string {
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
