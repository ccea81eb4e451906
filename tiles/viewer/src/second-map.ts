/** The map on the other side of the divider, as long as two are compared. */
import type { Feature } from "geojson";
import type { Landscape } from "./commons";
import { frameOf, reliefFrame } from "./frames";
import type { LandscapeMap } from "./landscape-map";
import type { MapProgress, Model, Stop } from "./model";
import type { Corner } from "./place";

export class SecondMap {
  private map: LandscapeMap | undefined;
  private making: Promise<void> | undefined;
  private asked: string | undefined;
  private relief: string | undefined;

  constructor(
    private readonly model: Model,
    private readonly changed: () => void,
    private readonly tapped: (place: Corner) => void,
  ) {}

  /** Show a stop beside the first map; without one, go. */
  sync(first: LandscapeMap, beside: HTMLElement, stop: Stop | undefined, landscape: Landscape, place: Feature[]): void {
    if (!stop) return this.close();
    if (!this.map) {
      this.making ??= this.open(first, beside);
      return;
    }
    this.map.place(landscape, first.padding(), first.view());
    this.syncRelief(this.map);
    this.map.showPlace(place);
    const frame = frameOf(this.model, stop);
    if (!frame || frame.key === this.asked) return;
    this.asked = frame.key;
    this.model.otherMap = { state: "loading", year: stop.year };
    void this.map.show(frame).then((whole) => {
      if (this.asked === frame.key) this.tell({ state: whole ? "done" : "failed", year: stop.year });
    });
  }

  retry(): void {
    this.map?.forgetFailed();
    this.asked = undefined;
  }

  private syncRelief(map: LandscapeMap): void {
    const frame = this.model.relief ? reliefFrame(this.model) : undefined;
    if (frame?.key === this.relief) return;
    this.relief = frame?.key;
    map.showRelief(frame);
  }

  private async open(first: LandscapeMap, beside: HTMLElement): Promise<void> {
    const { LandscapeMap } = await import("./landscape-map");
    const container = beside.parentElement?.querySelector<HTMLElement>(".map.second");
    if (!container) return void (this.making = undefined);
    const listener = { moved: () => undefined, failed: () => undefined, tapped: this.tapped };
    try {
      this.map = await LandscapeMap.create(container, listener, true);
      this.map.follow(first);
    } catch {
      this.model.otherMap = { state: "unavailable", year: undefined };
    }
    this.changed();
  }

  private close(): void {
    this.map?.remove();
    this.map = this.making = this.asked = this.relief = this.model.otherMap = undefined;
  }

  private tell(progress: MapProgress): void {
    this.model.otherMap = progress;
    this.changed();
  }
}
