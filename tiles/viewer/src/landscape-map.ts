/** The map: the landscape's outline, its relief, one year at a time, and the place that is asked about. */
import type { Feature, FeatureCollection, Geometry } from "geojson";
import maplibregl from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import type { View } from "./address";
import type { Bounds, Landscape } from "./commons";
import { MARGIN } from "./first-look";
import type { Corner } from "./place";
import { direction, inReadersLanguage, say } from "./words";
import { YearLayers, type Frame } from "./year-layers";

export interface MapListener {
  moved: (view: View) => void;
  failed: (source: string) => void;
  tapped: (place: Corner) => void;
}

export interface Padding {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

const ABOVE_YEARS = "years-anchor"; // empty layers: the years go below it, then the veil, relief and outline above
const ABOVE_VEIL = "veil-anchor";
const RELIEF = "relief";
const OUTLINE = "outline";
const PLACE = "place";
const RELIEF_STRENGTH = 0.35; // the classes must stay readable under it
const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };

export class LandscapeMap {
  private readonly years: YearLayers;
  private readonly veil: YearLayers;
  private landscape: Landscape | undefined;
  private shownPlace = "[]";
  private moved = false; // by the reader, or to a linked view

  private constructor(
    private readonly map: maplibregl.Map,
    listener: MapListener,
  ) {
    this.years = new YearLayers(map, ABOVE_YEARS);
    this.veil = new YearLayers(map, ABOVE_VEIL, "veil:");
    map.on("error", (event) => listener.failed((event as { sourceId?: string }).sourceId ?? ""));
    map.on("click", ({ lngLat }) => listener.tapped([lngLat.lng, lngLat.lat]));
    map.on("moveend", (event) => {
      if (!("originalEvent" in event) || !event.originalEvent) return;
      this.moved = true;
      listener.moved(this.view());
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paintGround());
    this.standInForPrint();
  }

  /** Make the map in a container; rejects where the browser cannot draw it. The one beside another has no tools. */
  static async create(container: HTMLElement, listener: MapListener, beside = false): Promise<LandscapeMap> {
    const map = new maplibregl.Map({
      container,
      style: { version: 8, sources: {}, layers: [{ id: "ground", type: "background" }] },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      maxPitch: 0,
      renderWorldCopies: false,
      zoom: 1,
      keyboard: !beside,
      locale: { "NavigationControl.ZoomIn": say("zoomIn"), "NavigationControl.ZoomOut": say("zoomOut") },
    });
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    tellBusy(map);
    if (beside) map.getCanvas().tabIndex = -1;
    else addControls(map);
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
    this.setData(OUTLINE, landscape.outline ?? { type: "GeometryCollection", geometries: [] });
    this.map.setPadding(padding);
    if (view) this.look(view);
    else this.fit(landscape.bounds);
  }

  look(view: View): void {
    this.moved = true;
    this.map.jumpTo({ center: [view.longitude, view.latitude], zoom: view.zoom });
  }

  view(): View {
    const { lat, lng } = this.map.getCenter();
    return { zoom: this.map.getZoom(), latitude: lat, longitude: lng };
  }

  /** Keep the landscape clear of what lies over the map; fit it anew where the window changed. */
  keepClear(padding: Padding, windowChanged: boolean): void {
    this.map.setPadding(padding);
    if (windowChanged && !this.moved && this.landscape) this.fit(this.landscape.bounds);
  }

  /** Fit the landscape into the room that is left, unless the reader chose what to look at. */
  makeRoom(padding: Padding): void {
    if (this.moved || !this.landscape) return;
    this.map.setPadding(padding);
    this.fit(this.landscape.bounds);
  }

  padding(): Padding {
    const { top = 0, right = 0, bottom = 0, left = 0 } = this.map.getPadding();
    return { top, right, bottom, left };
  }

  /** Move and be moved with another map of the same size. */
  follow(other: LandscapeMap): void {
    let leader: maplibregl.Map | undefined;
    const lead = (from: maplibregl.Map, to: maplibregl.Map) => (): void => {
      if (leader && leader !== from) return;
      leader = from;
      to.jumpTo({ center: from.getCenter(), zoom: from.getZoom(), padding: from.getPadding() });
      leader = undefined;
    };
    const [here, there] = [this.map, other.map];
    const [follow, led] = [lead(there, here), lead(here, there)];
    there.on("move", follow);
    here.on("move", led);
    here.once("remove", () => there.off("move", follow));
    follow();
  }

  show(frame: Frame): Promise<boolean> {
    return this.years.show(frame);
  }

  /** Whether a year was fetched ahead, and all its tiles in view are there. */
  isReady(frame: Frame): boolean {
    return this.years.isReady(frame);
  }

  preload(frame: Frame): void {
    this.years.preload(frame);
  }

  showVeil(frame: Frame | undefined): void {
    if (frame) void this.veil.show(frame);
    else this.veil.hide();
  }

  /** Whether what the tiles leave out of the landscape is pale: where nothing changed, say. */
  showPaleGround(pale: boolean): void {
    this.map.setLayoutProperty("pale", "visibility", pale ? "visible" : "none");
  }

  /** Show the place that is asked about, or the corners of one that is drawn. */
  showPlace(features: Feature[]): void {
    const key = JSON.stringify(features);
    if (key === this.shownPlace) return;
    this.shownPlace = key;
    this.setData(PLACE, { type: "FeatureCollection", features });
  }

  middle(): Corner {
    const { lng, lat } = this.map.getCenter();
    return [lng, lat];
  }

  /** Where the middle of what is seen lies, in pixels of the map. */
  middlePixel(): { x: number; y: number } {
    return this.map.project(this.map.getCenter());
  }

  /** What is seen of the map as a picture, and how many metres a pixel of it measures. */
  picture(whole = false): { canvas: HTMLCanvasElement; metres: number } {
    this.map.redraw(); // what was drawn can be read only before the browser shows it
    const source = this.map.getCanvas();
    const density = source.width / source.clientWidth;
    const { top, right, bottom, left } = whole ? { top: 0, right: 0, bottom: 0, left: 0 } : this.padding();
    const canvas = document.createElement("canvas");
    canvas.width = source.width - (left + right) * density;
    canvas.height = source.height - (top + bottom) * density;
    canvas.getContext("2d")?.drawImage(source, -left * density, -top * density);
    const [west, east] = [this.map.unproject([0, 0]), this.map.unproject([100, 0])];
    return { canvas, metres: west.distanceTo(east) / 100 / density };
  }

  /** Ask again for what failed. */
  forgetFailed(): void {
    this.years.forgetFailed();
    this.veil.forgetFailed();
  }

  remove(): void {
    for (const layers of [this.years, this.veil]) layers.hide(); // what waits for tiles gives up
    this.map.remove();
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

  private setData(source: string, data: Geometry | FeatureCollection): void {
    const shown = data.type === "FeatureCollection" ? data : { type: "Feature" as const, properties: {}, geometry: data };
    this.map.getSource<maplibregl.GeoJSONSource>(source)?.setData(shown);
  }

  private prepare(): void {
    const { map } = this;
    for (const source of [OUTLINE, PLACE]) map.addSource(source, { type: "geojson", data: EMPTY });
    map.addLayer({ id: "pale", type: "fill", source: OUTLINE, layout: { visibility: "none" } });
    for (const id of [ABOVE_YEARS, ABOVE_VEIL]) map.addLayer({ id, type: "background", layout: { visibility: "none" } });
    map.addLayer({ id: "outline-halo", type: "line", source: OUTLINE, paint: { "line-width": 4, "line-opacity": 0.5 } });
    map.addLayer({ id: OUTLINE, type: "line", source: OUTLINE, paint: { "line-width": 1.25 } });
    map.addLayer({ id: "place-area", type: "fill", source: PLACE, paint: { "fill-opacity": 0.12 } });
    map.addLayer({ id: "place-halo", type: "line", source: PLACE, paint: { "line-width": 5, "line-opacity": 0.8 } });
    map.addLayer({ id: "place-line", type: "line", source: PLACE, paint: { "line-width": 2.5 } });
    const corner = { "circle-radius": 6, "circle-stroke-width": 3 };
    map.addLayer({ id: "place-corner", type: "circle", source: PLACE, filter: ["==", ["geometry-type"], "Point"], paint: corner });
    this.paintGround();
  }

  /** Printers get no WebGL: a picture stands in for it. */
  private standInForPrint(): void {
    let picture: HTMLCanvasElement | undefined;
    const put = (): void => {
      picture?.remove();
      picture = this.picture().canvas;
      picture.className = "printed-map";
      this.map.getContainer().append(picture);
    };
    const take = (): void => picture?.remove();
    window.addEventListener("beforeprint", put);
    window.addEventListener("afterprint", take);
    this.map.once("remove", () => {
      window.removeEventListener("beforeprint", put);
      window.removeEventListener("afterprint", take);
    });
  }

  /** The ground and the lines follow the page's colours, light or dark. */
  private paintGround(): void {
    const style = getComputedStyle(document.documentElement);
    const paint = (layer: string, property: string, name: string): void => {
      this.map.setPaintProperty(layer, property, style.getPropertyValue(name).trim());
    };
    paint("ground", "background-color", "--ground");
    paint("pale", "fill-color", "--unchanged");
    paint("outline-halo", "line-color", "--surface");
    paint(OUTLINE, "line-color", "--ink");
    paint("place-area", "fill-color", "--ink");
    paint("place-halo", "line-color", "--surface");
    paint("place-line", "line-color", "--ink");
    paint("place-corner", "circle-color", "--ink");
    paint("place-corner", "circle-stroke-color", "--surface");
  }
}

function addControls(map: maplibregl.Map): void {
  const side = direction === "rtl" ? "left" : "right"; // the panel is at the other
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), `top-${side}`);
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), `bottom-${side}`);
}

/** Whoever cannot see the map is told that its picture still changes, until all that was asked for is drawn or failed. */
function tellBusy(map: maplibregl.Map): void {
  const tell = (busy: boolean) => (): void => map.getContainer().setAttribute("aria-busy", String(busy));
  for (const change of ["dataloading", "movestart", "render"] as const) map.on(change, tell(true));
  map.on("error", () => map.triggerRepaint()); // else it does not come to rest after a tile that failed
  map.on("idle", tell(false));
}
