/** What the page knows and what the reader chose; all that is shown follows from it. */
import type { Choice } from "./choice";
import type { Areas, LandClass, Landscape, ObservedMap, Relief, Run } from "./commons";
import type { Layer } from "./layers";
import type { Corner } from "./place";
import type { MadePlan, PlanOffer, PlanProgress } from "./plans";
import type { Answer } from "./questions";
import type { SheetLegend } from "./sheet-legend";
import { inReadersLanguage, locale, type Text } from "./words";

/** A part of the data: on its way, failed, or there. */
export type Part<T> = { state: "loading" } | { state: "failed"; reason?: string } | { state: "done"; value: T };

export const LOADING = { state: "loading" } as const;
export const FAILED = { state: "failed" } as const;

const LONGEST = 200; // years of one run that the time bar shows

/** What the map is doing with a year; or that its code did not come, or that the browser cannot draw it. */
export interface MapProgress {
  state: "loading" | "failed" | "done" | "unreachable" | "unavailable";
  year: number | undefined;
}

export interface Model {
  landscapes: Part<Landscape[]>;
  runs: Part<Run[]>;
  observed: Part<ObservedMap[]>;
  reliefs: Part<Relief[]>;
  areas: Map<string, Part<Areas>>;
  /** Every layer of the catalog; asked for when they are first looked at. */
  layers: Part<Layer[]>;
  /** Legends of maps other than land cover, by address. */
  legends: Map<string, Part<SheetLegend>>;
  /** What the server said about the chosen place. */
  answer: Part<Answer> | undefined;
  /** Plans that were made, or that a link named: they lie among the scenarios. */
  plans: MadePlan[];
  plan: Planning;
  /** Corners of the area that is being drawn. */
  drawing: Corner[] | undefined;
  choice: Choice;
  map: MapProgress;
  /** The map beside it, while two are compared. */
  otherMap: MapProgress | undefined;
  relief: boolean;
  reliefFailed: boolean;
  playing: boolean;
}

/** The plan that is being made. */
export interface Planning {
  landscape: string | undefined;
  offer: Part<PlanOffer>;
  progress: PlanProgress | undefined;
  trouble: { kind: "busy" | "refused" | "failed"; reason: string } | undefined;
}

export const NO_PLAN: Planning = { landscape: undefined, offer: LOADING, progress: undefined, trouble: undefined };

/** One year that can be shown: an observed map, or the projection of a run. */
export type Stop =
  | { year: number; kind: "observed"; map: ObservedMap }
  | { year: number; kind: "projected"; run: Run };

export interface LegendRow {
  entry: LandClass;
  hectares: number | undefined;
  change: number | undefined;
}

/** The class that changes most, by which the scenarios are compared. */
export interface Leader {
  value: number;
  title: Text;
  colour: string;
}

export function valueOf<T>(part: Part<T[]>): T[] {
  return part.state === "done" ? part.value : [];
}

/** What is shown first is still on its way: with none of it there, a part of the page shows the shape of what comes. */
export function isLoading({ landscapes, runs, observed }: Model): boolean {
  return [landscapes, runs, observed].some((part) => part.state === "loading");
}

export function chosenLandscape(model: Model): Landscape | undefined {
  const landscapes = valueOf(model.landscapes);
  return landscapes.find((landscape) => landscape.id === model.choice.landscape) ?? landscapes[0];
}

/** The newest run of every scenario of the landscape, "as before" first; a run asked for stands for its own. */
export function shownRuns(model: Model): Run[] {
  const landscape = chosenLandscape(model);
  const made = model.plans.map(({ run }) => run);
  const runs = [...valueOf(model.runs), ...made].filter((run) => run.landscape === landscape?.id);
  const asked = runs.find((run) => run.id === model.choice.run);
  const shown = new Map<string, Run>();
  for (const run of runs) {
    const rival = shown.get(run.scenario);
    if (!rival || (rival !== asked && run.created > rival.created) || run === asked) shown.set(run.scenario, run);
  }
  return [...shown.values()].sort(byPlan);
}

function byPlan(one: Run, other: Run): number {
  const titles = [one, other].map((run) => inReadersLanguage(run.title)) as [string, string];
  return Number(other.asBefore) - Number(one.asBefore) || titles[0].localeCompare(titles[1], locale);
}

export function chosenRun(model: Model): Run | undefined {
  const runs = shownRuns(model);
  return runs.find((run) => run.id === model.choice.run) ?? runs[0];
}

/** Every year that can be shown, in order: observed maps up to the start, then the projection. */
export function stops(model: Model): Stop[] {
  return stopsOfRun(model, chosenRun(model));
}

export function stopsOfRun(model: Model, run: Run | undefined): Stop[] {
  const landscape = chosenLandscape(model);
  const maps = valueOf(model.observed).filter((map) => map.landscape === landscape?.id);
  const found = new Map<number, Stop>();
  for (const map of maps) found.set(map.year, { year: map.year, kind: "observed", map });
  const last = run ? Math.min(run.end, run.start + LONGEST) : 0;
  if (run) for (let year = run.start + 1; year <= last; year++) found.set(year, { year, kind: "projected", run });
  return [...found.values()].sort((one, other) => one.year - other.year);
}

/** The stop the reader chose, else the nearest, else the last: where the future leads. */
export function chosenStop(model: Model): Stop | undefined {
  if (model.runs.state === "loading" || model.observed.state === "loading") return undefined;
  const all = stops(model);
  const { year } = model.choice;
  return year === undefined ? all.at(-1) : nearest(all, year);
}

export function nearest(all: Stop[], year: number): Stop | undefined {
  const distance = (stop: Stop): number => Math.abs(stop.year - year);
  return all.reduce<Stop | undefined>(
    (best, stop) => (best && distance(best) < distance(stop) ? best : stop),
    undefined,
  );
}

/** The stop so many steps further, within what there is. */
export function neighbour(model: Model, steps: number): Stop | undefined {
  const all = stops(model);
  const here = all.findIndex((stop) => stop.year === chosenStop(model)?.year);
  return all[Math.min(Math.max(here + steps, 0), all.length - 1)];
}

export function reliefOf(model: Model): Relief | undefined {
  const landscape = chosenLandscape(model);
  return valueOf(model.reliefs).find((relief) => relief.landscape === landscape?.id);
}

export function chosenAreas(model: Model): Part<Areas> | undefined {
  const run = chosenRun(model);
  return run && model.areas.get(run.id);
}

/** The year against which change is told: the start of the projection, as observed. */
export function referenceYear(areas: Areas): number | undefined {
  return areas.years[0];
}

/** Hectares by class in a year, projected or observed. */
export function hectaresIn(areas: Areas, year: number | undefined): number[] | undefined {
  if (year === undefined) return undefined;
  return areas.area_ha[areas.years.indexOf(year)] ?? areas.observed?.area_ha[areas.observed.years.indexOf(year)];
}

/** The classes of the landscape, from its run or its observed maps. */
export function classesOf(model: Model): LandClass[] {
  const part = chosenAreas(model);
  return part?.state === "done" ? part.value.classes : plainLegend(model).map(({ entry }) => entry);
}

/** The class the reader asks about, else the one that changes most. */
export function chosenClass(model: Model): LandClass | undefined {
  const classes = classesOf(model);
  const parts = shownRuns(model).map((run) => model.areas.get(run.id));
  const leader = leadingClass(parts.flatMap((part) => (part?.state === "done" ? [part.value] : [])));
  return (
    classes.find(({ name }) => name === model.choice.class) ??
    classes.find(({ value }) => value === leader?.value) ??
    classes[0]
  );
}

export function legendRows(model: Model): LegendRow[] {
  const stop = chosenStop(model);
  const part = chosenAreas(model);
  if (part?.state !== "done") return plainLegend(model);
  const now = hectaresIn(part.value, stop?.year);
  const then = stop?.kind === "projected" ? hectaresIn(part.value, referenceYear(part.value)) : undefined;
  return part.value.classes.map((entry, column) => {
    const hectares = now?.[column];
    const before = then?.[column];
    return { entry, hectares, change: hectares === undefined || before === undefined ? undefined : hectares - before };
  });
}

function plainLegend(model: Model): LegendRow[] {
  const landscape = chosenLandscape(model);
  const map = valueOf(model.observed).find((one) => one.landscape === landscape?.id && one.classes.length > 0);
  return (map?.classes ?? []).map((entry) => ({ entry, hectares: undefined, change: undefined }));
}

/** The class whose area changes most in any of the runs: all cards show this one, so that they compare. */
export function leadingClass(all: Areas[]): Leader | undefined {
  let leader: LandClass | undefined;
  let most = -1;
  for (const areas of all) {
    const first = hectaresIn(areas, referenceYear(areas));
    const last = areas.area_ha.at(-1);
    areas.classes.forEach((entry, column) => {
      const change = Math.abs((last?.[column] ?? 0) - (first?.[column] ?? 0));
      if (change > most) [leader, most] = [entry, change];
    });
  }
  return leader;
}

/** Observed years that a run learnt from: up to its start. */
export function historyOf(areas: Areas): [number, number] | undefined {
  const years = (areas.observed?.years ?? []).filter((year) => year <= (areas.years[0] ?? -Infinity));
  const [first, last] = [Math.min(...years), Math.max(...years)];
  return years.length > 1 ? [first, last] : undefined;
}
