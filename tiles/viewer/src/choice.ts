/** What the reader chose; the page's address keeps all of it. */
import type { Place } from "./place";

/** What the map shows: land cover, what changed, how likely a class is, when places first change, another layer. */
export type Theme = "cover" | "difference" | "probability" | "first-change" | "layer";

/** The part of the page that is open beside the map. */
export type Drawer = "compare" | "sure" | "here" | "plan" | "layers";

export interface Choice {
  landscape: string | undefined;
  run: string | undefined;
  year: number | undefined;
  theme: Theme;
  /** Name of the class of a probability, of a difference, or of the chart. */
  class: string | undefined;
  /** An item of the catalog, as collection/item. */
  layer: string | undefined;
  /** Whether a hatch lies where the members disagree. */
  veil: boolean;
  /** Whether two maps lie side by side. */
  swipe: boolean;
  /** The run to compare with; the shown one where none is named. */
  against: string | undefined;
  /** The year to compare with; the shown one where none is named. */
  since: number | undefined;
  drawer: Drawer | undefined;
  place: Place | undefined;
}

export const NO_CHOICE: Choice = {
  landscape: undefined,
  run: undefined,
  year: undefined,
  theme: "cover",
  class: undefined,
  layer: undefined,
  veil: true,
  swipe: false,
  against: undefined,
  since: undefined,
  drawer: undefined,
  place: undefined,
};
