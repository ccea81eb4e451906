/** The first map as plain pictures, laid where the map will draw them, while the code of the map is on its way.
 *
 * They are the tiles that the map asks for, so that it finds them in the browser's cache. Where it cannot draw, they stay.
 */
import type { View } from "./address";
import type { Padding } from "./landscape-map";
import type { Frame } from "./year-layers";

export interface Size {
  width: number;
  height: number;
}

/** A tile and where it lies in the window, in pixels. */
export interface LaidTile {
  url: string;
  left: number;
  top: number;
  side: number;
}

export const MARGIN = 24;
const WORLD = 512; // pixels around the world at zoom 0, as MapLibre counts zooms
const MOST_TILES = 48;

export class FirstLook {
  private shown = "";

  constructor(private readonly holder: HTMLElement) {}

  /** Show tiles; those of before stay until the new ones are there. */
  show(laid: LaidTile[]): void {
    const key = JSON.stringify(laid);
    if (key === this.shown) return;
    this.shown = key;
    const pictures = laid.map(makePicture);
    this.holder.append(...pictures);
    void Promise.all(pictures.map(settled)).then(() => {
      if (this.shown !== key) return;
      this.holder.replaceChildren(...pictures);
      this.holder.dataset["state"] = "done";
    });
  }

  remove(): void {
    this.shown = "";
    this.holder.replaceChildren();
    delete this.holder.dataset["state"];
  }
}

/** Say which tiles fill a window, and where: the bounds fitted into the room that is free, or a view of the reader's. */
export function layTiles({ tiles, bounds, maxzoom }: Frame, size: Size, padding: Padding, view?: View): LaidTile[] {
  const [[west, north], [east, south]] = [project(bounds[0], bounds[3]), project(bounds[2], bounds[1])];
  const free = [size.width - padding.left - padding.right - 2 * MARGIN, size.height - padding.top - padding.bottom - 2 * MARGIN] as const;
  const zoom = view?.zoom ?? Math.log2(Math.min(free[0] / (east - west), free[1] / (south - north)) / WORLD);
  if (!Number.isFinite(zoom)) return [];
  const centre = view ? project(view.longitude, view.latitude) : [(west + east) / 2, (north + south) / 2];
  const z = Math.max(0, Math.min(Math.round(zoom + 1), maxzoom));
  const [world, across] = [WORLD * 2 ** zoom, 2 ** z];
  const start = [(padding.left + size.width - padding.right) / 2 - Number(centre[0]) * world, (padding.top + size.height - padding.bottom) / 2 - Number(centre[1]) * world] as const;
  const columns = span(Math.max(west, -start[0] / world), Math.min(east, (size.width - start[0]) / world), across);
  const rows = span(Math.max(north, -start[1] / world), Math.min(south, (size.height - start[1]) / world), across);
  if (columns.length * rows.length > MOST_TILES) return [];
  const side = world / across;
  const address = (x: number, y: number): string => tiles.replace("{z}", String(z)).replace("{x}", String(x)).replace("{y}", String(y));
  return rows.flatMap((y) => columns.map((x) => ({ url: address(x, y), left: start[0] + x * side, top: start[1] + y * side, side })));
}

/** Web Mercator, 0 to 1 from the north-western corner of the world. */
function project(longitude: number, latitude: number): [number, number] {
  const y = Math.log(Math.tan(Math.PI / 4 + (latitude * Math.PI) / 360)) / (2 * Math.PI);
  return [longitude / 360 + 0.5, 0.5 - y];
}

/** The numbers of the tiles between two places. */
function span(from: number, to: number, across: number): number[] {
  const first = Math.max(0, Math.floor(from * across));
  const end = Math.min(across, Math.ceil(to * across));
  return Array.from({ length: Math.max(0, end - first) }, (_, n) => first + n);
}

function makePicture({ url, left, top, side }: LaidTile): HTMLImageElement {
  const picture = new Image();
  picture.alt = "";
  picture.fetchPriority = "high";
  Object.assign(picture.style, { left: `${left}px`, top: `${top}px`, width: `${side}px`, height: `${side}px` });
  picture.src = url;
  return picture;
}

/** Resolves when it has come or failed: outside of the data there is no tile. */
function settled(picture: HTMLImageElement): Promise<void> {
  return picture.decode().catch(() => picture.remove());
}
