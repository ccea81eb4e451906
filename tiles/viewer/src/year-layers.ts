/** One map of a year after the other. The year before stays until the next is there; the one after is fetched ahead. */
import type maplibregl from "maplibre-gl";
import type { Bounds } from "./commons";

export interface Frame {
  key: string;
  tiles: string;
  bounds: Bounds;
  maxzoom: number;
}

const FADE_MS = 180;
const POLL_MS = 25;
export class YearLayers {
  private shown: string | undefined;
  private wanted: string | undefined;
  private ahead: string | undefined;
  /** Years that are still seen below the shown one: while it fades in, or where its tiles failed. */
  private readonly below = new Set<string>();
  private readonly failed = new Set<string>();
  /** Years that were drawn once, so that their sources know which tiles they need. */
  private readonly begun = new Set<string>();

  constructor(
    private readonly map: maplibregl.Map,
    private readonly above: string,
    private readonly prefix = "year:",
  ) {
    map.on("error", (event) => {
      const { sourceId } = event as { sourceId?: string };
      if (sourceId?.startsWith(this.prefix)) this.failed.add(sourceId);
    });
  }

  /** Bring a year up once its tiles are there. False where some failed, or where another year was asked for. */
  async show(frame: Frame): Promise<boolean> {
    const id = this.prefix + frame.key;
    this.wanted = id;
    if (this.shown !== id) {
      this.add(id, frame);
      this.drop();
      if (!this.isReady(frame)) await this.loaded(id);
      if (this.wanted !== id) return false;
      await this.raise(id);
    }
    return !this.failed.has(id);
  }

  /** Take all away. */
  hide(): void {
    this.wanted = this.shown = this.ahead = undefined;
    this.below.clear();
    this.drop();
  }

  /** Fetch the tiles of a year that is likely to be asked for next. */
  preload(frame: Frame): void {
    this.ahead = this.prefix + frame.key;
    this.add(this.ahead, frame);
    this.drop();
    void this.begin(this.ahead);
  }

  /** Whether every tile of a year in view is there. */
  isReady({ key }: Frame): boolean {
    const id = this.prefix + key;
    return this.begun.has(id) && this.map.isSourceLoaded(id);
  }

  /** Ask again for the tiles that failed. */
  forgetFailed(): void {
    for (const id of [...this.failed]) {
      if (this.shown === id) this.shown = undefined;
      this.remove(id);
    }
  }

  private add(id: string, { tiles, bounds, maxzoom }: Frame): void {
    if (this.map.getSource(id)) return;
    this.map.addSource(id, { type: "raster", tiles: [tiles], tileSize: 256, bounds, maxzoom });
    const paint = {
      "raster-opacity": 0,
      "raster-opacity-transition": { duration: fadeTime() },
      "raster-fade-duration": 0,
      "raster-resampling": "nearest" as const,
    };
    this.map.addLayer({ id, type: "raster", source: id, paint }, this.above);
  }

  /** Take away every year that is neither seen, asked for, nor fetched ahead. */
  private drop(): void {
    for (const id of this.map.getLayersOrder()) {
      const needed = [this.shown, this.wanted, this.ahead].includes(id) || this.below.has(id);
      if (id.startsWith(this.prefix) && !needed) this.remove(id);
    }
  }

  private remove(id: string): void {
    if (this.map.getLayer(id)) this.map.removeLayer(id);
    if (this.map.getSource(id)) this.map.removeSource(id);
    for (const known of [this.failed, this.below, this.begun]) known.delete(id);
  }

  /** Resolves when every tile in view has come or failed, or when another year is wanted. */
  private async loaded(id: string): Promise<void> {
    await this.begin(id);
    while (this.wanted === id && this.map.getSource(id) && !this.map.isSourceLoaded(id)) await pause(POLL_MS);
  }

  /** A source knows which tiles it needs only after a frame. */
  private async begin(id: string): Promise<void> {
    await this.drawn();
    if (this.map.getSource(id)) this.begun.add(id);
  }

  private async raise(id: string): Promise<void> {
    if (this.shown) this.below.add(this.shown);
    this.below.delete(id);
    this.shown = id;
    this.map.moveLayer(id, this.above);
    this.map.setPaintProperty(id, "raster-opacity", 1);
    await this.drawn(); // only then is it on the map
    await pause(fadeTime());
    if (this.shown === id && !this.failed.has(id)) this.clearBelow();
  }

  private async drawn(): Promise<void> {
    this.map.triggerRepaint();
    await this.map.once("render");
  }

  private clearBelow(): void {
    for (const id of this.below) if (this.map.getLayer(id)) this.map.setPaintProperty(id, "raster-opacity", 0);
    this.below.clear();
    this.drop();
  }
}

function fadeTime(): number {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : FADE_MS;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
