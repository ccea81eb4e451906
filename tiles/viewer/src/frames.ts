/** Which tiles show what the reader chose. */
import { address, tilesOfItem, type Landscape, type Run } from "./commons";
import { comparedStop } from "./comparison";
import { chosenClass, chosenLandscape, chosenRun, chosenStop, reliefOf, type Model, type Stop } from "./model";
import type { Frame } from "./year-layers";

const EARTH_M = 40_075_017;
const TILE = 256;
const [COARSEST, FINEST] = [6, 20];
const VEIL_FINER = 3; // zooms beyond the cells: a hatch stays fine however near one looks

/** Tiles and the legend that belongs to them. */
export interface Sheet {
  key: string;
  tiles: string;
  legend: string;
}

/** What the map shows for a year. */
export function frameOf(model: Model, stop: Stop): Frame | undefined {
  const landscape = chosenLandscape(model);
  const sheet = landscape && sheetOf(model, stop);
  if (!landscape || !sheet) return undefined;
  const layer = model.choice.theme === "layer" ? chosenLayer(model) : undefined;
  const bounds = layer?.bounds ?? (stop.kind === "observed" ? stop.map.bounds : landscape.bounds);
  return { key: sheet.key, tiles: sheet.tiles, bounds, maxzoom: finestZoom(landscape) };
}

/** Which tiles show a year in the chosen theme; land cover where the theme has nothing for it. */
export function sheetOf(model: Model, stop: Stop): Sheet | undefined {
  const { theme } = model.choice;
  if (theme === "layer") return layerSheet(model) ?? coverSheet(stop);
  if (theme === "difference") return differenceSheet(model, stop) ?? coverSheet(stop);
  if (stop.kind === "projected" && theme === "probability") return probabilitySheet(model, stop);
  if (theme === "first-change" && chosenRun(model)) return firstChangeSheet(model);
  return coverSheet(stop);
}

/** Whether the members of what is shown can disagree: several of them, a projected year, one map of land cover. */
export function canVeil(model: Model): boolean {
  const stop = chosenStop(model);
  const { theme, swipe } = model.choice;
  return theme === "cover" && !swipe && stop?.kind === "projected" && (stop.run.members ?? 0) > 1;
}

/** Where members disagree. */
export function veilFrame(model: Model): Frame | undefined {
  const stop = chosenStop(model);
  const landscape = chosenLandscape(model);
  if (!canVeil(model) || !model.choice.veil || stop?.kind !== "projected" || !landscape) return undefined;
  const { tiles, key } = veilSheet(stop.run, stop.year);
  return { key, tiles, bounds: landscape.bounds, maxzoom: Math.min(finestZoom(landscape) + VEIL_FINER, FINEST) };
}

/** The hatch where the members of a run disagree in a year. */
export function veilSheet(run: Run, year: number): Sheet {
  return runSheet(run, `${year}/agreement`, { style: "veil" });
}

export function reliefFrame(model: Model): Frame | undefined {
  const landscape = chosenLandscape(model);
  const relief = reliefOf(model);
  if (!landscape || !relief) return undefined;
  const { id, bounds } = relief;
  return { key: id, tiles: tilesOfItem("drivers", id, "relief"), bounds, maxzoom: finestZoom(landscape) };
}

/** The land cover of a year. */
export function coverSheet(stop: Stop): Sheet {
  if (stop.kind === "observed") {
    const { id } = stop.map;
    return { key: id, tiles: tilesOfItem("land-cover", id), legend: "" };
  }
  return runSheet(stop.run, String(stop.year));
}

function probabilitySheet(model: Model, stop: Stop & { kind: "projected" }): Sheet | undefined {
  const name = chosenClass(model)?.name;
  return name ? runSheet(stop.run, `${stop.year}/probability`, { class: name, style: "likelihood" }) : coverSheet(stop);
}

function firstChangeSheet(model: Model): Sheet | undefined {
  const run = chosenRun(model);
  return run && runSheet(run, "first-change");
}

/** From the year compared with to this one; the server compares a run's year with whatever there is. */
function differenceSheet(model: Model, stop: Stop): Sheet | undefined {
  const before = comparedStop(model);
  if (stop.kind !== "projected" || !before) return undefined;
  const asked: Record<string, string> = model.choice.class ? { class: model.choice.class } : { style: "changed-to" };
  if (before.kind === "observed") asked["against"] = `land-cover/${before.map.id}`;
  else Object.assign(asked, { against: before.run.id, since: String(before.year) });
  return runSheet(stop.run, `${stop.year}/difference`, asked);
}

function layerSheet(model: Model): Sheet | undefined {
  const layer = chosenLayer(model);
  if (!layer?.drawn) return undefined;
  const [collection, item] = [layer.collection, layer.id];
  const legend = address(`collections/${collection}/items/${encodeURIComponent(item)}/legend.json`);
  return { key: `${collection}/${item}`, tiles: tilesOfItem(collection, item), legend };
}

function chosenLayer(model: Model) {
  const part = model.layers;
  return part.state === "done" ? part.value.find(({ key }) => key === model.choice.layer) : undefined;
}

/** A map of a run; the time it was made tells it from an earlier one of the same name. */
function runSheet(run: { id: string; created: string }, path: string, asked: Record<string, string> = {}): Sheet {
  const base = address(`runs/${encodeURIComponent(run.id)}/${path}`);
  const query = new URLSearchParams(asked).toString();
  const version = !run.created || "since" in asked || "against" in asked ? "" : `v=${encodeURIComponent(run.created)}`;
  const told = [query, version].filter(Boolean).join("&");
  return {
    key: `${run.id}-${path}-${query}`,
    tiles: `${base}/tiles/WebMercatorQuad/{z}/{x}/{y}.png${told && `?${told}`}`,
    legend: `${base}/legend.json${query && `?${query}`}`,
  };
}

/** One zoom finer than the cells: beyond it tiles hold nothing new, and the map enlarges them itself. */
function finestZoom({ cellSize, bounds }: Landscape): number {
  if (!cellSize) return 14;
  const around = EARTH_M * Math.cos((((bounds[1] + bounds[3]) / 2) * Math.PI) / 180);
  const zoom = Math.ceil(Math.log2(around / (TILE * cellSize))) + 1;
  return Math.min(Math.max(zoom, COARSEST), FINEST);
}
