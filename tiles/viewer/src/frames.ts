/** Which tiles show what the reader chose. */
import { tilesOfItem, tilesOfRun, type Landscape } from "./commons";
import { chosenLandscape, reliefOf, type Model, type Stop } from "./model";
import type { Frame } from "./year-layers";

const EARTH_M = 40_075_017;
const TILE = 256;
const [COARSEST, FINEST] = [6, 20];

export function frameOf(model: Model, stop: Stop): Frame | undefined {
  const landscape = chosenLandscape(model);
  if (!landscape) return undefined;
  const maxzoom = finestZoom(landscape);
  if (stop.kind === "observed") {
    const { id, bounds } = stop.map;
    return { key: id, tiles: tilesOfItem("land-cover", id), bounds, maxzoom };
  }
  const { run, year } = stop;
  return { key: `${run.id}-${year}`, tiles: tilesOfRun(run, year), bounds: landscape.bounds, maxzoom };
}

export function reliefFrame(model: Model): Frame | undefined {
  const landscape = chosenLandscape(model);
  const relief = reliefOf(model);
  if (!landscape || !relief) return undefined;
  const { id, bounds } = relief;
  return { key: id, tiles: tilesOfItem("drivers", id, "relief"), bounds, maxzoom: finestZoom(landscape) };
}

/** One zoom finer than the cells: beyond it tiles hold nothing new, and the map enlarges them itself. */
function finestZoom({ cellSize, bounds }: Landscape): number {
  if (!cellSize) return 14;
  const around = EARTH_M * Math.cos((((bounds[1] + bounds[3]) / 2) * Math.PI) / 180);
  const zoom = Math.ceil(Math.log2(around / (TILE * cellSize))) + 1;
  return Math.min(Math.max(zoom, COARSEST), FINEST);
}
