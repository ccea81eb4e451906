/** Has the map show what the model says, and tells the model how far it is. */
import type { Feature } from "geojson";
import type { View } from "./address";
import { comparedStop } from "./comparison";
import { coverSheet, frameOf, reliefFrame, sheetOf, veilFrame } from "./frames";
import { FirstLook, layTiles } from "./first-look";
import type { LandscapeMap, Padding } from "./landscape-map";
import { chosenLandscape, chosenStop, neighbour, type MapProgress, type Model } from "./model";
import type { Corner } from "./place";
import { SecondMap } from "./second-map";
import type { Frame } from "./year-layers";

const REST_MS = 40; // a drag over many years asks for tiles only where it rests
const SWIFT_MS = 300; // code that comes within this needs no other map before it
const MARKS_PX = { beside: 44, below: 68 }; // what the marks at the top of the map take, with and without a panel beside
const CROWDED = 0.75; // parts that cover more of the window than this no longer move the map

interface Listener {
  changed: () => void;
  moved: (view: View) => void;
  tapped: (place: Corner) => void;
}

export class Stage {
  private map: LandscapeMap | undefined;
  private container: HTMLElement | undefined;
  private firstLook: FirstLook | undefined; // until the map is there
  private asked: string | undefined;
  private relief: string | undefined;
  private veil: string | undefined;
  private roomy = true; // no drawer took room from the map
  private arrival: Promise<void> = Promise.resolve();
  private readonly second: SecondMap;

  constructor(
    private readonly model: Model,
    private readonly listener: Listener,
  ) {
    this.second = new SecondMap(model, listener.changed, listener.tapped);
  }

  async open(container: HTMLElement): Promise<void> {
    setTimeout(() => this.lookFirst(container), SWIFT_MS);
    this.container = container;
    // Fetched on its own, so that the page speaks before the code of the map is there.
    const code = await import("./landscape-map").catch(() => undefined);
    if (!code) return this.tell({ state: "unreachable", year: undefined });
    const { moved, tapped } = this.listener;
    try {
      this.map = await code.LandscapeMap.create(container, { moved, tapped, failed: (source) => this.noteFailed(source) });
    } catch {
      return this.tell({ state: "unavailable", year: undefined });
    }
    this.keepClear(container);
    this.listener.changed();
  }

  look(view: View): void {
    this.map?.look(view);
  }

  /** The middle of what is seen, where there is a map. */
  middle(): Corner | undefined {
    return this.map?.middle();
  }

  picture() {
    return this.map?.picture();
  }

  /** Bring the map up to the model. */
  sync(view: View | undefined): void {
    const landscape = chosenLandscape(this.model);
    if (!this.map || !this.container || !landscape) return this.showFirstLook(view);
    this.map.place(landscape, freeRoom(this.container), view);
    this.syncRelief(this.map);
    this.map.showPlace(placeFeatures(this.model));
    this.syncRoom(this.map, this.container);
    const stop = chosenStop(this.model);
    const frame = stop && frameOf(this.model, stop);
    this.map.showPaleGround(this.model.choice.theme === "difference" && stop?.kind === "projected");
    const other = this.model.choice.swipe ? comparedStop(this.model) : undefined;
    this.second.sync(this.map, this.container, other, landscape, placeFeatures(this.model));
    if (!stop || !frame || frame.key === this.asked) return this.syncVeil(this.map);
    this.asked = frame.key;
    this.model.map = { state: "loading", year: stop.year };
    this.arrival = this.bring(this.map, frame, stop.year);
  }

  /** Resolves when the year asked for last is on the map. */
  async settled(): Promise<void> {
    for (let last; last !== this.arrival; await last) last = this.arrival;
  }

  retry(): void {
    this.map?.forgetFailed();
    this.second.retry();
    this.asked = undefined;
    if (this.model.reliefFailed) this.relief = undefined;
    this.model.reliefFailed = false;
  }

  private async bring(map: LandscapeMap, frame: Frame, year: number): Promise<void> {
    if (!map.isReady(frame)) await new Promise((resolve) => setTimeout(resolve, REST_MS));
    if (this.asked !== frame.key) return;
    const whole = await map.show(frame);
    if (this.asked !== frame.key) return;
    this.tell({ state: whole ? "done" : "failed", year });
    const next = neighbour(this.model, 1);
    const ahead = next && frameOf(this.model, next);
    if (ahead && ahead.key !== frame.key && !savesData()) map.preload(ahead);
  }

  private endFirstLook(): void {
    this.firstLook?.remove();
    this.firstLook = undefined;
  }

  private syncRelief(map: LandscapeMap): void {
    const stop = chosenStop(this.model);
    const isCover = stop && sheetOf(this.model, stop)?.legend === coverSheet(stop).legend;
    const frame = this.model.relief && isCover ? reliefFrame(this.model) : undefined;
    if (frame?.key === this.relief) return;
    this.relief = frame?.key;
    map.showRelief(frame);
  }

  /** The veil comes after the map that it lies over, and goes with it. */
  private syncVeil(map: LandscapeMap): void {
    const frame = veilFrame(this.model);
    if (frame && this.model.map.state !== "done") return;
    if (frame?.key === this.veil) return;
    this.veil = frame?.key;
    map.showVeil(frame);
  }

  /** What opens beside the map takes room from it, but moves nothing under the finger that tapped. */
  private syncRoom(map: LandscapeMap, container: HTMLElement): void {
    const { drawer, place } = this.model.choice;
    const drawing = this.model.drawing !== undefined;
    if (drawing) this.markMiddle(map, container);
    const roomy = drawing || drawer === undefined || (drawer === "here" && place?.kind === "point" && this.roomy);
    if (roomy === this.roomy) return;
    this.roomy = roomy;
    requestAnimationFrame(() => {
      map.makeRoom(freeRoom(container));
      this.markMiddle(map, container);
    });
  }

  /** Where a corner is set by those who do not point. */
  private markMiddle(map: LandscapeMap, container: HTMLElement): void {
    const { x, y } = map.middlePixel();
    container.parentElement?.style.setProperty("--middle-x", `${x}px`);
    container.parentElement?.style.setProperty("--middle-y", `${y}px`);
  }

  private noteFailed(source: string): void {
    const year = chosenStop(this.model)?.year;
    if (source === "relief" && !this.model.reliefFailed) this.model.reliefFailed = true;
    else if (source === `year:${this.asked}` && this.model.map.state === "done") this.model.map = { state: "failed", year };
    else return;
    this.listener.changed();
  }

  /** The code of the map is long in coming: until then, plain pictures. */
  private lookFirst(container: HTMLElement): void {
    const holder = container.parentElement?.querySelector<HTMLElement>(".first-look");
    if (this.map || !holder) return;
    this.firstLook = new FirstLook(holder);
    this.listener.changed();
  }

  private showFirstLook(view: View | undefined): void {
    const stop = chosenStop(this.model);
    const frame = stop && frameOf(this.model, stop);
    if (!this.firstLook || !this.container || !frame) return;
    const { clientWidth: width, clientHeight: height } = this.container;
    this.firstLook.show(layTiles(frame, { width, height }, freeRoom(this.container), view));
  }

  private tell(progress: MapProgress): void {
    this.model.map = progress;
    if (progress.state === "done" || progress.state === "failed") this.endFirstLook();
    this.listener.changed();
  }

  /** The landscape stays clear of the panel, the sheet and the time bar as they change their size. */
  private keepClear(container: HTMLElement): void {
    const watcher = new ResizeObserver((changes) => {
      const room = freeRoom(container);
      const covered = room.bottom + room.top > CROWDED * container.clientHeight;
      const windowChanged = changes.some((change) => change.target === container);
      if (!covered) this.map?.keepClear(room, windowChanged);
    });
    for (const part of [container, ...document.querySelectorAll(".panel, .time")]) watcher.observe(part);
  }
}

/** What is drawn over the map: the place asked about, or the corners of an area so far. */
function placeFeatures({ choice, drawing }: Model): Feature[] {
  const feature = (geometry: Feature["geometry"]): Feature => ({ type: "Feature", properties: {}, geometry });
  if (drawing) {
    const corners = drawing.map((corner) => feature({ type: "Point", coordinates: corner }));
    const ring = drawing.length > 2 ? [...drawing, drawing[0] as Corner] : drawing;
    return drawing.length < 2 ? corners : [feature({ type: "LineString", coordinates: ring }), ...corners];
  }
  const { place, drawer } = choice;
  if (!place || place.kind === "whole" || (drawer !== "here" && drawer !== "plan")) return [];
  if (place.kind === "area") return [feature(place.geometry)];
  return [feature({ type: "Point", coordinates: [place.longitude, place.latitude] })];
}

/** How far the parts of the page reach over the map, in pixels. */
function freeRoom(map: HTMLElement): Padding {
  const frame = map.getBoundingClientRect();
  const panel = document.querySelector(".panel")?.getBoundingClientRect();
  const time = document.querySelector(".time")?.getBoundingClientRect();
  const drawer = document.querySelector(".drawer")?.getBoundingClientRect();
  const beside = panel !== undefined && panel.top <= 0;
  const below = beside ? [time] : [time, panel, drawer];
  const lowest = Math.min(frame.bottom, ...below.flatMap((part) => (part ? [part.top] : [])));
  const [start, end] = beside ? [panel.width, drawer ? frame.width - reachOf(drawer, frame) : 0] : [0, 0];
  const atLeft = !beside || panel.left <= 0;
  const top = beside ? MARKS_PX.beside : MARKS_PX.below;
  return { top, right: atLeft ? end : start, bottom: frame.bottom - lowest, left: atLeft ? start : end };
}

/** How far from the side of the panel the drawer begins. */
function reachOf(drawer: DOMRect, frame: DOMRect): number {
  return document.documentElement.dir === "rtl" ? frame.right - drawer.right : drawer.left - frame.left;
}

/** The reader asked the browser to save data: nothing is fetched ahead. */
function savesData(): boolean {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } };
  return connection?.saveData === true;
}
