/** The page: loads the data, keeps what the reader chose, and has the parts and the map show it. */
import { render } from "preact";
import type { Actions } from "./actions";
import { readAddress, writeAddress, type View } from "./address";
import { NO_CHOICE, type Choice, type Drawer } from "./choice";
import { loadAreas, loadLandscapes, loadObserved, loadReliefs, loadRuns, Refusal } from "./commons";
import { sheetOf } from "./frames";
import { loadLayers } from "./layers";
import {
  chosenLandscape,
  chosenRun,
  chosenStop,
  FAILED,
  LOADING,
  NO_PLAN,
  neighbour,
  shownRuns,
  stops,
  type Model,
  type Part,
} from "./model";
import { DrawerArea } from "./parts/drawer";
import { MapArea } from "./parts/map-area";
import { Panel } from "./parts/panel";
import { TimeBar } from "./parts/timebar";
import { drawnArea, isSamePlace, type Corner, type Place } from "./place";
import { Planner } from "./planner";
import type { PlanDraft } from "./plans";
import { ask } from "./questions";
import { loadSheetLegend } from "./sheet-legend";
import { Stage } from "./stage";
import { embedded } from "./embedded";
import { inReadersLanguage } from "./words";

const PLAY_MS = 700; // how long a year is looked at while the years play
const LOOK_MS = 5_000; // how soon a landscape without scenarios is looked at again: one may be in the making
const CALM_LOOKS = 6; // looks without news after which a landscape that got its first scenarios is left alone
const OWN_ARROWS = "input, select, textarea, .map, .handle, .divider"; // where the arrow keys mean something else

export class Page implements Actions {
  private view: View | undefined;
  private readonly model: Model = {
    landscapes: LOADING,
    runs: LOADING,
    observed: LOADING,
    reliefs: LOADING,
    areas: new Map(),
    layers: LOADING,
    legends: new Map(),
    answer: undefined,
    plans: [],
    plan: NO_PLAN,
    drawing: undefined,
    choice: { ...NO_CHOICE },
    map: { state: "loading", year: undefined },
    otherMap: undefined,
    relief: true,
    reliefFailed: false,
    playing: false,
  };
  private readonly stage = new Stage(this.model, {
    changed: () => this.paint(),
    moved: (view) => this.keepView(view),
    tapped: (place) => this.tap(place),
  });
  private readonly planner = new Planner(this.model, (choice = {}) => this.choose(choice));
  private asking = ""; // what the server was asked last about the place
  private layersAsked = false;

  constructor(private readonly root: HTMLElement) {}

  start(): void {
    this.followAddress(location.hash);
    // Where it led to, not where the page is: that may have been written anew since.
    window.addEventListener("hashchange", ({ newURL }) => this.followAddress(new URL(newURL).hash));
    document.addEventListener("keydown", (event) => this.press(event));
    this.loadAll();
    this.paint();
    void this.awaitScenarios();
  }

  readonly chooseLandscape = (id: string): void => {
    this.view = undefined;
    this.model.playing = false;
    this.choose({ ...NO_CHOICE, landscape: id, drawer: this.model.choice.drawer });
  };

  readonly choose = (choice: Partial<Choice>): void => {
    Object.assign(this.model.choice, choice);
    this.loadMissing();
    this.paint();
  };

  readonly chooseYear = (year: number): void => {
    this.model.playing = false;
    this.choose({ year });
  };

  readonly step = (steps: number): void => {
    const stop = neighbour(this.model, steps);
    if (stop) this.chooseYear(stop.year);
  };

  readonly togglePlay = (): void => {
    this.model.playing = !this.model.playing;
    if (this.model.playing) void this.play();
    this.paint();
  };

  readonly toggleRelief = (): void => {
    this.model.relief = !this.model.relief;
    this.paint();
  };

  readonly choosePlace = (place: Place | undefined): void => {
    this.model.drawing = undefined;
    this.choose({ place, drawer: this.placeDrawer() });
  };

  readonly startDrawing = (): void => {
    this.model.drawing = [];
    this.choose({ place: undefined, drawer: this.placeDrawer() });
  };

  readonly addCorner = (): void => {
    const middle = this.stage.middle();
    if (middle) this.draw(middle);
  };

  readonly undoCorner = (): void => {
    this.model.drawing = this.model.drawing?.slice(0, -1);
    this.paint();
  };

  readonly endDrawing = (keep: boolean): void => {
    const corners = this.model.drawing ?? [];
    this.choosePlace(keep && corners.length > 2 ? drawnArea(corners) : undefined);
  };

  readonly sendPlan = (title: string, draft: PlanDraft): void => void this.planner.send(title, draft);

  readonly cancelPlan = (): void => void this.planner.cancel();

  readonly planAgain = (): void => this.planner.again();

  readonly savePicture = async (): Promise<void> => {
    const picture = this.stage.picture();
    if (!picture) return;
    const { savePicture } = await import("./picture");
    await savePicture(this.model, picture);
  };

  readonly retry = (): void => {
    this.asking = "";
    if (this.model.plan.offer.state === "failed") this.model.plan = NO_PLAN;
    for (const [key, part] of this.model.legends) if (part.state === "failed") this.model.legends.delete(key);
    if (this.model.layers.state === "failed") this.layersAsked = false;
    this.stage.retry();
    this.loadAll();
    this.paint();
  };

  readonly openMap = (container: HTMLElement): void => void this.stage.open(container);

  private keepView(view: View): void {
    this.view = view;
    this.keepAddress();
  }

  /** A tap asks about a point, or sets the next corner of an area. */
  private tap([longitude, latitude]: Corner): void {
    if (this.model.drawing) this.draw([longitude, latitude]);
    else if (chosenRun(this.model) && !embedded && this.model.choice.drawer !== "plan") this.choosePlace({ kind: "point", longitude, latitude });
  }

  /** Which part of the page asks for a place: what changes here, or a plan. */
  private placeDrawer(): Drawer {
    return this.model.choice.drawer === "plan" ? "plan" : "here";
  }

  private draw(corner: Corner): void {
    this.model.drawing = [...(this.model.drawing ?? []), corner];
    this.paint();
  }

  /** Year after year, each once its map is there; from the last year on, again from where the future starts. */
  private async play(): Promise<void> {
    const all = stops(this.model);
    const start = all.findLast((stop) => stop.kind === "observed") ?? all[0];
    if (chosenStop(this.model)?.year === all.at(-1)?.year && start) this.choose({ year: start.year });
    while (this.model.playing) {
      await this.stage.settled();
      await wait(PLAY_MS);
      const next = neighbour(this.model, 1);
      const over = !next || next.year === chosenStop(this.model)?.year;
      if (over) this.model.playing = false;
      if (this.model.playing) this.choose({ year: next?.year });
    }
    this.paint();
  }

  private press(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.model.choice.drawer) return this.leave();
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const elsewhere = event.target instanceof Element && event.target.closest(OWN_ARROWS);
    if (!steps || elsewhere || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.step(steps);
  }

  /** Out of what is being drawn, else out of the open drawer. */
  private leave(): void {
    if (this.model.drawing) this.endDrawing(false);
    else this.choose({ drawer: undefined });
  }

  private followAddress(hash: string): void {
    const { view, ...choice } = readAddress(hash);
    this.view = view;
    if (view) this.stage.look(view);
    this.choose(choice);
  }

  private keepAddress(): void {
    const landscape = chosenLandscape(this.model)?.id;
    const waiting = this.model.runs.state === "loading" || this.model.observed.state === "loading";
    if (!landscape || waiting) return;
    const run = chosenRun(this.model)?.id;
    const shown = { ...this.model.choice, landscape, run, year: chosenStop(this.model)?.year, view: this.view };
    history.replaceState(null, "", writeAddress(shown));
  }

  /** Load what has not been loaded, or failed. */
  private loadAll(): void {
    const { model } = this;
    this.load(model.landscapes, loadLandscapes, (part) => (model.landscapes = part));
    this.load(model.runs, loadRuns, (part) => (model.runs = part));
    this.load(model.observed, loadObserved, (part) => (model.observed = part));
    this.load(model.reliefs, loadReliefs, (part) => (model.reliefs = part));
    for (const [run, part] of model.areas) if (part.state === "failed") model.areas.delete(run);
    this.loadMissing();
  }

  private load<T>(now: Part<T>, loader: () => Promise<T>, keep: (part: Part<T>) => void): void {
    if (now.state === "done") return;
    keep(LOADING);
    void loader()
      .then((value) => keep({ state: "done", value }), (error: unknown) => keep(failure(error)))
      .then(() => this.choose({}));
  }

  /** A landscape without scenarios may be about to get some: look again until no more come. */
  private async awaitScenarios(): Promise<void> {
    for (let calm = CALM_LOOKS; ; calm++) {
      await wait(LOOK_MS);
      if (shownRuns(this.model).length === 0) calm = 0;
      if (calm < CALM_LOOKS && !document.hidden && (await this.findNewRuns())) calm = 0;
    }
  }

  /** Load the scenarios anew; whether there are more than before. */
  private async findNewRuns(): Promise<boolean> {
    const { model } = this;
    const found = await loadRuns().catch(() => []);
    if (model.runs.state !== "done" || found.length <= model.runs.value.length) return false;
    model.runs = { state: "done", value: found };
    this.choose({});
    return true;
  }

  /** What the choice needs and nobody asked for yet. */
  private loadMissing(): void {
    this.loadMissingAreas();
    this.loadLegend();
    this.loadAnswer();
    const { drawer, layer, run } = this.model.choice;
    if (drawer === "plan") void this.planner.prepare();
    void this.planner.open(run);
    if ((drawer === "layers" || layer) && !this.layersAsked) {
      this.layersAsked = true;
      this.load(LOADING, loadLayers, (part) => (this.model.layers = part));
    }
  }

  private loadLegend(): void {
    const stop = chosenStop(this.model);
    const legend = stop && sheetOf(this.model, stop)?.legend;
    if (!legend || this.model.choice.theme === "cover" || this.model.legends.has(legend)) return;
    this.load(LOADING, () => loadSheetLegend(legend), (part) => this.model.legends.set(legend, part));
  }

  /** Ask about the place, once for each set of runs. */
  private loadAnswer(): void {
    const { place, drawer } = this.model.choice;
    const runs = shownRuns(this.model);
    if (!place || place.kind === "whole" || drawer !== "here" || runs.length === 0) return;
    const asking = JSON.stringify([place, runs.map(({ id }) => id)]);
    if (asking === this.asking) return;
    this.asking = asking;
    const isCurrent = (): boolean => isSamePlace(place, this.model.choice.place) && asking === this.asking;
    const keep = (part: Model["answer"]): void => {
      if (isCurrent()) this.model.answer = part;
    };
    this.load(LOADING, () => ask(place, runs), keep);
  }

  /** The hectares of every shown run: the cards compare them. */
  private loadMissingAreas(): void {
    const { areas } = this.model;
    for (const run of shownRuns(this.model).filter(({ id }) => !areas.has(id))) {
      this.load(LOADING, () => loadAreas(run), (part) => areas.set(run.id, part));
    }
  }

  private paint(): void {
    const { model } = this;
    const landscape = chosenLandscape(model);
    if (landscape) document.title = `${inReadersLanguage(landscape.title)} · datacommons`;
    this.stage.sync(this.view);
    render(
      <>
        <MapArea model={model} actions={this} />
        <Panel model={model} actions={this} />
        <TimeBar model={model} actions={this} />
        {!embedded && <DrawerArea model={model} actions={this} />}
      </>,
      this.root,
    );
    this.keepAddress();
  }
}

/** What failed, with the server's reason where the question was at fault. */
function failure(error: unknown): { state: "failed"; reason?: string } {
  return error instanceof Refusal && error.status < 500 ? { state: "failed", reason: error.reason } : FAILED;
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
