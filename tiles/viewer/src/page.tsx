/** The page: loads the data, keeps what the reader chose, and has the parts and the map show it. */
import { render } from "preact";
import type { Actions } from "./actions";
import { readAddress, writeAddress, type View } from "./address";
import { loadAreas, loadLandscapes, loadObserved, loadReliefs, loadRuns } from "./commons";
import {
  chosenLandscape,
  chosenRun,
  chosenStop,
  FAILED,
  LOADING,
  neighbour,
  shownRuns,
  stops,
  type Choice,
  type Model,
  type Part,
  valueOf,
} from "./model";
import { MapArea } from "./parts/map-area";
import { Panel } from "./parts/panel";
import { TimeBar } from "./parts/timebar";
import { Stage } from "./stage";
import { inReadersLanguage } from "./words";

const PLAY_MS = 700; // how long a year is looked at while the years play
const LOOK_MS = 5_000; // how soon a landscape without scenarios is looked at again: one may be in the making
const CALM_LOOKS = 6; // looks without news after which a landscape that got its first scenarios is left alone
const OWN_ARROWS = "input, select, textarea, .map, .handle"; // where the arrow keys mean something else

export class Page implements Actions {
  private view: View | undefined;
  private readonly model: Model = {
    landscapes: LOADING,
    runs: LOADING,
    observed: LOADING,
    reliefs: LOADING,
    areas: new Map(),
    choice: { landscape: undefined, run: undefined, year: undefined },
    map: { state: "loading", year: undefined },
    relief: true,
    reliefFailed: false,
    playing: false,
  };
  private readonly stage = new Stage(this.model, () => this.paint());

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
    this.choose({ landscape: id, run: undefined, year: undefined });
  };

  readonly chooseRun = (id: string): void => this.choose({ run: id });

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

  readonly retry = (): void => {
    this.stage.retry();
    this.loadAll();
    this.paint();
  };

  readonly openMap = (container: HTMLElement): void => {
    const moved = (view: View): void => {
      this.view = view;
      this.keepAddress();
    };
    void this.stage.open(container, moved);
  };

  private choose(choice: Partial<Choice>): void {
    Object.assign(this.model.choice, choice);
    this.loadMissingAreas();
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
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const elsewhere = event.target instanceof Element && event.target.closest(OWN_ARROWS);
    if (!steps || elsewhere || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.step(steps);
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
    history.replaceState(null, "", writeAddress({ landscape, run, year: chosenStop(this.model)?.year, view: this.view }));
  }

  /** Load what has not been loaded, or failed. */
  private loadAll(): void {
    const { model } = this;
    this.load(model.landscapes, loadLandscapes, (part) => (model.landscapes = part));
    this.load(model.runs, loadRuns, (part) => (model.runs = part));
    this.load(model.observed, loadObserved, (part) => (model.observed = part));
    this.load(model.reliefs, loadReliefs, (part) => (model.reliefs = part));
    for (const [run, part] of model.areas) if (part.state === "failed") model.areas.delete(run);
    this.loadMissingAreas();
  }

  private load<T>(now: Part<T>, loader: () => Promise<T>, keep: (part: Part<T>) => void): void {
    if (now.state === "done") return;
    keep(LOADING);
    void loader()
      .then((value) => keep({ state: "done", value }), () => keep(FAILED))
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
      </>,
      this.root,
    );
    this.keepAddress();
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
