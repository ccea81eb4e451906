/** What the server tells about a place: the class of a point, or the hectares of an area, through the years. */
import { address, colourOf, fetchJson, type LandClass, type Run } from "./commons";
import type { Place } from "./place";
import { language } from "./words";

/** Hectares by year (rows) and class (columns), with the members' band where the server tells it. */
export interface Series {
  run: string;
  classes: LandClass[];
  years: number[];
  area_ha: number[][];
  low_ha: number[][] | undefined;
  high_ha: number[][] | undefined;
}

/** The classes of a point, one for each year, and in which share of the members it has that class. */
export interface Course {
  run: string;
  classes: LandClass[];
  years: number[];
  found: (LandClass | undefined)[];
  chances: (number | undefined)[];
}

export type Answer = { kind: "point"; courses: Course[] } | { kind: "area"; hectares: number; series: Series[] };

interface ToldClass {
  value: number;
  name: string;
  title: Record<string, string>;
  colour: string;
}

interface ToldPoint {
  run: string;
  classes: ToldClass[];
  years: number[];
  class: (string | null)[];
  probability_years: number[];
  /** By class: how likely it is, as far as the hindcast can tell what members' shares are worth. */
  chance: Record<string, number[]>;
}

interface ToldArea {
  run: string;
  classes: ToldClass[];
  polygon_ha: number;
  years: number[];
  area_ha: Record<string, number[]>;
  quantiles?: Quantiles | null;
}

/** Hectares by class and year that 5, 50 and 95 of every 100 members stay below. */
interface Quantiles {
  years?: number[];
  low_ha?: Record<string, number[]>;
  high_ha?: Record<string, number[]>;
}

const MOST_RUNS = 8; // that the server measures at once

/** Ask about a point or an area, for several runs at once. */
export async function ask(place: Exclude<Place, { kind: "whole" }>, runs: Run[]): Promise<Answer> {
  const asked = runs.slice(0, MOST_RUNS);
  if (place.kind === "area") return askArea(place.geometry, asked);
  const told = asked.map((run) => fetchJson(address(`runs/${encodeURIComponent(run.id)}/point/${pointIn(place)}?lang=${language}`)));
  const [first, ...others] = await Promise.allSettled(told);
  if (first?.status !== "fulfilled") throw first?.reason;
  const rest = others.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])); // a plan has no chances to tell
  return { kind: "point", courses: ([first.value, ...rest] as ToldPoint[]).map(readCourse) };
}

async function askArea(geometry: unknown, [first, ...others]: Run[]): Promise<Answer> {
  if (!first) return { kind: "area", hectares: 0, series: [] };
  const query = new URLSearchParams([["lang", language], ...others.map(({ id }) => ["with", id])]);
  const told = (await fetchJson(address(`runs/${encodeURIComponent(first.id)}/statistics?${query}`), geometry)) as {
    runs: ToldArea[];
  };
  return { kind: "area", hectares: told.runs[0]?.polygon_ha ?? 0, series: told.runs.map(readSeries) };
}

function pointIn({ longitude, latitude }: { longitude: number; latitude: number }): string {
  return `${longitude.toFixed(6)},${latitude.toFixed(6)}`;
}

function readCourse(told: ToldPoint): Course {
  const classes = told.classes.map(readClass);
  const found = told.class.map((name) => classes.find((entry) => entry.name === name));
  const chances = told.years.map((year, index) => {
    const column = told.probability_years.indexOf(year);
    return told.chance[told.class[index] ?? ""]?.[column];
  });
  return { run: told.run, classes, years: told.years, found, chances };
}

function readSeries(told: ToldArea): Series {
  const { years, quantiles } = told;
  const classes = told.classes.map(readClass);
  const table = (by: Record<string, number[]>, of: number[] = years): number[][] =>
    years.map((year) => classes.map(({ name }) => by[name]?.[of.indexOf(year)] ?? by[name]?.[0] ?? 0));
  const low = quantiles?.low_ha && table(quantiles.low_ha, quantiles.years);
  const high = quantiles?.high_ha && table(quantiles.high_ha, quantiles.years);
  return { run: told.run, classes, years, area_ha: table(told.area_ha), low_ha: low, high_ha: high };
}

function readClass({ value, name, title, colour }: ToldClass): LandClass {
  return { value, name, title, colour: colourOf(colour) };
}
