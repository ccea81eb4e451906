/** Has the map show what the model says, and tells the model how far it is. */
import type { View } from "./address";
import { frameOf, reliefFrame } from "./frames";
import type { LandscapeMap, Padding } from "./landscape-map";
import { chosenLandscape, chosenStop, neighbour, type MapProgress, type Model } from "./model";
import type { Frame } from "./year-layers";

const REST_MS = 40; // a drag over many years asks for tiles only where it rests
const MARKS_PX = { beside: 44, below: 68 }; // what the marks at the top of the map take, with and without a panel beside
const CROWDED = 0.75; // parts that cover more of the window than this no longer move the map

export class Stage {
  private map: LandscapeMap | undefined;
  private container: HTMLElement | undefined;
  private asked: string | undefined;
  private relief: string | undefined;
  private arrival: Promise<void> = Promise.resolve();

  constructor(
    private readonly model: Model,
    private readonly changed: () => void,
  ) {}

  async open(container: HTMLElement, moved: (view: View) => void): Promise<void> {
    // Fetched on its own, so that the page speaks before the code of the map is there.
    const code = await import("./landscape-map").catch(() => undefined);
    if (!code) return this.tell({ state: "unreachable", year: undefined });
    try {
      this.map = await code.LandscapeMap.create(container, { moved, failed: (source) => this.noteFailed(source) });
    } catch {
      return this.tell({ state: "unavailable", year: undefined });
    }
    this.container = container;
    this.keepClear(container);
    this.changed();
  }

  look(view: View): void {
    this.map?.look(view);
  }

  /** Bring the map up to the model. */
  sync(view: View | undefined): void {
    const landscape = chosenLandscape(this.model);
    if (!this.map || !this.container || !landscape) return;
    this.map.place(landscape, freeRoom(this.container), view);
    this.syncRelief(this.map);
    const stop = chosenStop(this.model);
    const frame = stop && frameOf(this.model, stop);
    if (!stop || !frame || frame.key === this.asked) return;
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
    this.asked = undefined;
    if (this.model.reliefFailed) this.relief = undefined;
    this.model.reliefFailed = false;
  }

  private async bring(map: LandscapeMap, frame: Frame, year: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    if (this.asked !== frame.key) return;
    const whole = await map.show(frame);
    if (this.asked !== frame.key) return;
    this.tell({ state: whole ? "done" : "failed", year });
    const next = neighbour(this.model, 1);
    const ahead = next && frameOf(this.model, next);
    if (ahead && ahead.key !== frame.key && !savesData()) map.preload(ahead);
  }

  private syncRelief(map: LandscapeMap): void {
    const frame = this.model.relief ? reliefFrame(this.model) : undefined;
    if (frame?.key === this.relief) return;
    this.relief = frame?.key;
    map.showRelief(frame);
  }

  private noteFailed(source: string): void {
    const year = chosenStop(this.model)?.year;
    if (source === "relief" && !this.model.reliefFailed) this.model.reliefFailed = true;
    else if (source === `year:${this.asked}` && this.model.map.state === "done") this.model.map = { state: "failed", year };
    else return;
    this.changed();
  }

  private tell(progress: MapProgress): void {
    this.model.map = progress;
    this.changed();
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

/** How far the parts of the page reach over the map, in pixels. */
function freeRoom(map: HTMLElement): Padding {
  const floor = map.getBoundingClientRect().bottom;
  const panel = document.querySelector(".panel")?.getBoundingClientRect();
  const time = document.querySelector(".time")?.getBoundingClientRect();
  const beside = panel !== undefined && panel.top <= 0;
  const lowest = Math.min(time?.top ?? floor, beside ? floor : (panel?.top ?? floor), floor);
  const top = beside ? MARKS_PX.beside : MARKS_PX.below;
  return { top, right: 0, bottom: floor - lowest, left: beside ? panel.right : 0 };
}

/** The reader asked the browser to save data: nothing is fetched ahead. */
function savesData(): boolean {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } };
  return connection?.saveData === true;
}
