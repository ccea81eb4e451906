/** The map: the landscape's outline, its relief, and one year of land cover at a time. */
import type { FeatureCollection } from "geojson";
import maplibregl from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import type { View } from "./address";
import type { Bounds, Landscape } from "./commons";
import { inReadersLanguage, say } from "./words";
import { YearLayers, type Frame } from "./year-layers";

export interface MapListener {
  moved: (view: View) => void;
  failed: (source: string) => void;
}

export interface Padding {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

const ABOVE_YEARS = "relief-anchor"; // an empty layer: the years go below it, relief and outline above
const RELIEF = "relief";
const OUTLINE = "outline";
const RELIEF_STRENGTH = 0.35; // the classes must stay readable under it
const MARGIN = 24;

export class LandscapeMap {
  private readonly years: YearLayers;
  private landscape: Landscape | undefined;
  private moved = false; // by the reader, or to a linked view

  private constructor(private readonly map: maplibregl.Map, listener: MapListener) {
    this.years = new YearLayers(map, ABOVE_YEARS);
    map.on("error", (event) => listener.failed((event as { sourceId?: string }).sourceId ?? ""));
    map.on("moveend", (event) => {
      if (!("originalEvent" in event) || !event.originalEvent) return;
      this.moved = true;
      const { lat, lng } = map.getCenter();
      listener.moved({ zoom: map.getZoom(), latitude: lat, longitude: lng });
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paintGround());
  }

  /** Make the map in a container; rejects where the browser cannot draw it. */
  static async create(container: HTMLElement, listener: MapListener): Promise<LandscapeMap> {
    const map = new maplibregl.Map({
      container,
      style: { version: 8, sources: {}, layers: [{ id: "ground", type: "background" }] },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      maxPitch: 0,
      renderWorldCopies: false,
      zoom: 1,
      locale: { "NavigationControl.ZoomIn": say("zoomIn"), "NavigationControl.ZoomOut": say("zoomOut") },
    });
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    tellBusy(map);
    map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
    map.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-right");
    await map.once("load");
    const made = new LandscapeMap(map, listener);
    made.prepare();
    return made;
  }

  /** Show where the landscape lies; the view fits it unless one is given. */
  place(landscape: Landscape, padding: Padding, view: View | undefined): void {
    if (this.landscape === landscape) return;
    this.landscape = landscape;
    this.moved = false;
    this.map.getCanvas().setAttribute("aria-label", say("map", { landscape: inReadersLanguage(landscape.title) }));
    const geometry = landscape.outline ?? { type: "GeometryCollection", geometries: [] };
    this.map.getSource<maplibregl.GeoJSONSource>(OUTLINE)?.setData({ type: "Feature", properties: {}, geometry });
    this.map.setPadding(padding);
    if (view) this.look(view);
    else this.fit(landscape.bounds);
  }

  look(view: View): void {
    this.moved = true;
    this.map.jumpTo({ center: [view.longitude, view.latitude], zoom: view.zoom });
  }

  /** Keep the landscape clear of what lies over the map; fit it anew where the window changed. */
  keepClear(padding: Padding, windowChanged: boolean): void {
    this.map.setPadding(padding);
    if (windowChanged && !this.moved && this.landscape) this.fit(this.landscape.bounds);
  }

  show(frame: Frame): Promise<boolean> {
    return this.years.show(frame);
  }

  preload(frame: Frame): void {
    this.years.preload(frame);
  }

  /** Ask again for what failed. */
  forgetFailed(): void {
    this.years.forgetFailed();
  }

  showRelief(relief: Frame | undefined): void {
    if (this.map.getLayer(RELIEF)) this.map.removeLayer(RELIEF);
    if (this.map.getSource(RELIEF)) this.map.removeSource(RELIEF);
    if (!relief) return;
    const { tiles, bounds, maxzoom } = relief;
    this.map.addSource(RELIEF, { type: "raster", tiles: [tiles], tileSize: 256, bounds, maxzoom });
    const paint = { "raster-opacity": RELIEF_STRENGTH, "raster-fade-duration": 0 };
    this.map.addLayer({ id: RELIEF, type: "raster", source: RELIEF, paint }, "outline-halo");
  }

  private fit(bounds: Bounds): void {
    this.map.fitBounds(bounds, { padding: MARGIN, animate: false });
  }

  private prepare(): void {
    const empty: FeatureCollection = { type: "FeatureCollection", features: [] };
    this.map.addSource(OUTLINE, { type: "geojson", data: empty });
    this.map.addLayer({ id: ABOVE_YEARS, type: "background", layout: { visibility: "none" } });
    this.map.addLayer({ id: "outline-halo", type: "line", source: OUTLINE, paint: { "line-width": 4, "line-opacity": 0.5 } });
    this.map.addLayer({ id: OUTLINE, type: "line", source: OUTLINE, paint: { "line-width": 1.25 } });
    this.paintGround();
  }

  /** The ground and the outline follow the page's colours, light or dark. */
  private paintGround(): void {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    this.map.setPaintProperty("ground", "background-color", colour("--ground"));
    this.map.setPaintProperty("outline-halo", "line-color", colour("--surface"));
    this.map.setPaintProperty(OUTLINE, "line-color", colour("--ink"));
  }
}

/** Whoever cannot see the map is told that its picture still changes, until all that was asked for is drawn or failed. */
function tellBusy(map: maplibregl.Map): void {
  const tell = (busy: boolean) => (): void => map.getContainer().setAttribute("aria-busy", String(busy));
  for (const change of ["dataloading", "movestart", "render"] as const) map.on(change, tell(true));
  map.on("error", () => map.triggerRepaint()); // else it does not come to rest after a tile that failed
  map.on("idle", tell(false));
}
