/** The legend of a map that is not land cover, as the server draws it. */
import { colourOf, fetchJson, number, text, textual } from "./commons";
import { language, type Text } from "./words";

export interface LegendEntry {
  name: string;
  title: Text;
  colour: string;
}

export interface SheetLegend {
  title: string;
  unit: string;
  entries: LegendEntry[];
  /** Along the ramp of a map without classes. */
  stops: { value: number; label: string; colour: string }[];
}

export async function loadSheetLegend(address: string): Promise<SheetLegend> {
  const told = (await fetchJson(`${address}${address.includes("?") ? "&" : "?"}lang=${language}`)) as Record<string, unknown>;
  const listed = (name: string): Record<string, unknown>[] => (Array.isArray(told[name]) ? told[name] : []);
  return {
    title: text(told["title"]),
    unit: text(told["unit"]),
    entries: listed("classes").map((entry) => ({
      name: text(entry["name"]),
      title: textual(entry["title"]) || text(entry["label"]),
      colour: colourOf(entry["colour"]),
    })),
    stops: listed("stops").map((stop) => ({
      value: number(stop["value"]) ?? NaN,
      label: text(stop["label"]),
      colour: colourOf(stop["colour"]),
    })),
  };
}
