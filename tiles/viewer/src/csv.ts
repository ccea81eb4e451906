/** The hectares as a table to take away: exact, one row for each scenario, year and class. */
import { chosenLandscape, shownRuns, type Model } from "./model";
import type { Series } from "./questions";
import { inReadersLanguage } from "./words";
import { runTitle } from "./parts/scenario-cards";

const HEAD = ["run", "scenario", "year", "kind", "class", "title", "area_ha", "low_ha", "high_ha"];
const BYTE_ORDER_MARK = "\uFEFF"; // spreadsheets read other letters right only with it

export function downloadTable(model: Model, series: Series[]): void {
  const name = `${chosenLandscape(model)?.id ?? "landscape"}-hectares.csv`;
  const content = BYTE_ORDER_MARK + tableOf(model, series);
  download(new Blob([content], { type: "text/csv;charset=utf-8" }), name);
}

export function tableOf(model: Model, series: Series[]): string {
  const runs = shownRuns(model);
  const rows = series.flatMap((one) => {
    const run = runs.find(({ id }) => id === one.run);
    const title = run ? runTitle(run, model) : one.run;
    return one.years.flatMap((year, row) =>
      one.classes.map((entry, column) => [
        one.run,
        title,
        year,
        run && year > run.start ? "projection" : "observed",
        entry.name,
        inReadersLanguage(entry.title),
        one.area_ha[row]?.[column] ?? "",
        one.low_ha?.[row]?.[column] ?? "",
        one.high_ha?.[row]?.[column] ?? "",
      ]),
    );
  });
  return [HEAD, ...rows].map((row) => row.map(quote).join(",")).join("\r\n") + "\r\n";
}

/** Quoted where it has to be; a text that a spreadsheet would take for a formula is made a plain text. */
function quote(value: string | number): string {
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Hand a file to the reader. */
export function download(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
