/** Figures as people read them: by locale, with two or three digits that mean something. */
import { locale, say } from "./words";

const large = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });
const small = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 });
const exact = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });

/** Hectares without their unit, "about": 45317.1 reads 45,300. */
export function aboutFigure(hectares: number): string {
  const size = Math.abs(hectares);
  if (size > 0 && size < 1) return say("lessThanOne");
  return (size < 100 ? small : large).format(size);
}

/** Hectares with their unit. */
export function aboutArea(hectares: number): string {
  return say("hectares", { figure: aboutFigure(hectares) });
}

/** A change in hectares with its sign; a true minus, so that columns align. */
export function aboutChange(hectares: number): string {
  if (Math.abs(hectares) < 0.5) return "0";
  return `${hectares > 0 ? "+" : "−"}${aboutFigure(hectares)}`;
}

/** A figure with three decimals, for the details. */
export function exactFigure(value: number): string {
  return exact.format(value);
}

/** Two shares as whole numbers out of the same 100 or 1,000, the smallest base that shows both. */
export function outOf(share: number, other: number): { found: string; guessed: string; of: string } {
  const smallest = Math.min(share, other > 0 ? other : share);
  const base = smallest * 100 >= 0.95 ? 100 : 1000;
  const count = (value: number): string => exact.format(Math.round(value * base));
  return { found: count(share), guessed: count(other), of: exact.format(base) };
}
