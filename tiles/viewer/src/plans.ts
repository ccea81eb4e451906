/** Plans: what a reader would do with a place, and the years that the server makes of it. */
import { address, colourOf, fetchJson, type Areas, type LandClass, type Run } from "./commons";
import type { Place } from "./place";

export type PlanKind = "protect" | "restore" | "convert";

/** What the reader fills in. */
export interface PlanDraft {
  kind: PlanKind;
  /** Names of classes; the one that is there now may be left open with protect. */
  now: string;
  to: string;
  hectares: number;
  from: number;
  until: number;
}

/** What may be planned in a landscape. */
export interface PlanOffer {
  base: string;
  years: [first: number, last: number];
  classes: LandClass[];
}

export type PlanState = "queued" | "learning" | "projecting" | "drawing" | "done" | "failed" | "cancelled";

export interface PlanProgress {
  id: string;
  state: PlanState;
  year: number | undefined;
  years: [first: number, last: number];
  ahead: number;
}

/** A plan that is made: a run to look at, and its hectares beside those of its base. */
export interface MadePlan {
  run: Run;
  areas: Areas;
  base: string;
  difference_ha: number[][];
  missing_ha: number;
}

interface ToldPlan {
  id: string;
  landscape: string;
  title: string;
  base: string;
  state: PlanState;
  year: number | null;
  years: [number, number];
  ahead: number;
  ready: boolean;
  message: string;
  areas: Omit<Areas, "observed"> & { difference_ha: number[][] };
  shortfalls?: { hectares: number }[];
}

const OVER: PlanState[] = ["done", "failed", "cancelled"];

export const PLAN_ID = /^plan-\w+$/;

export async function loadOffer(landscape: string): Promise<PlanOffer> {
  const told = (await fetchJson(address(`landscapes/${encodeURIComponent(landscape)}/plans`))) as PlanOffer;
  return { ...told, classes: told.classes.map((entry) => ({ ...entry, colour: colourOf(entry.colour) })) };
}

/** Hand a plan in; returns its progress so far. */
export async function sendPlan(landscape: string, title: string, place: Place & { kind: "area" }, draft: PlanDraft): Promise<PlanProgress> {
  const { kind, now, to, hectares, from, until } = draft;
  const change = kind === "protect" ? {} : { to, hectares };
  const wish = { kind, where: place.geometry, from, until, ...(now ? { classes: [now] } : {}), ...change };
  const told = await fetchJson(address(`landscapes/${encodeURIComponent(landscape)}/plans`), { title, interventions: [wish] });
  return progressOf(told as ToldPlan);
}

/** Forget a plan, and stop it where it is still on its way. */
export async function dropPlan(id: string): Promise<void> {
  await fetch(addressOf(id), { method: "DELETE" });
}

export function scenarioFile(id: string): string {
  return `${addressOf(id)}/scenario.yaml`;
}

/** Follow a plan until it is over; the events tell when to look, and what is looked at is the plan itself. */
export function followPlan(start: PlanProgress, tell: (progress: PlanProgress) => void): () => void {
  const events = new EventSource(`${addressOf(start.id)}/events`);
  let now = start;
  const pass = (change: Partial<PlanProgress>): void => {
    now = { ...now, ...change };
    if (OVER.includes(now.state)) events.close();
    tell(now);
  };
  events.addEventListener("state", ({ data }) => pass({ state: read<{ state: PlanState }>(data).state }));
  events.addEventListener("year", ({ data }) => pass({ year: read<{ year: number }>(data).year }));
  return () => events.close();
}

/** A plan that is made; undefined while it is not, or is gone. */
export async function loadPlan(id: string, runs: Run[], areasOf: (run: string) => Areas | undefined): Promise<MadePlan | undefined> {
  const told = (await fetchJson(addressOf(id))) as ToldPlan;
  if (!told.ready) return undefined;
  const base = runs.find((run) => run.id === told.base);
  const { difference_ha, ...areas } = told.areas;
  const classes = areas.classes.map((entry) => ({ ...entry, colour: colourOf(entry.colour) }));
  const observed = areasOf(told.base)?.observed ?? { years: [], area_ha: [] };
  return {
    run: runOf(told, base),
    areas: { ...areas, classes, observed },
    base: told.base,
    difference_ha,
    missing_ha: (told.shortfalls ?? []).reduce((sum, { hectares }) => sum + hectares, 0),
  };
}

function runOf(told: ToldPlan, base: Run | undefined): Run {
  const { years } = told.areas;
  return {
    id: told.id,
    landscape: told.landscape,
    scenario: told.id,
    title: told.title,
    storyline: "",
    created: "",
    asBefore: false,
    start: years[0] ?? NaN,
    end: years.at(-1) ?? NaN,
    members: undefined,
    seed: base?.seed,
    hindcast: base?.hindcast,
    areas: undefined,
    synthetic: base?.synthetic ?? false,
  };
}

function progressOf({ id, state, year, years, ahead }: ToldPlan): PlanProgress {
  return { id, state, year: year ?? undefined, years, ahead };
}

function addressOf(id: string): string {
  return address(`plans/${encodeURIComponent(id)}`);
}

function read<T>(data: string): T {
  return JSON.parse(data) as T;
}
