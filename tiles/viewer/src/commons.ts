/** Reads the commons this page is served from: its STAC items and the hectares of its runs. */
import type { Geometry } from "geojson";
import type { Text } from "./words";

export type Bounds = [west: number, south: number, east: number, north: number];

export interface LandClass {
  value: number;
  name: string;
  title: Text;
  colour: string;
}

export interface Landscape {
  id: string;
  title: Text;
  description: Text;
  synthetic: boolean;
  bounds: Bounds;
  outline: Geometry | null;
  /** Side of a cell in metres, where the item tells it. */
  cellSize: number | undefined;
}

export interface Hindcast {
  merit: number;
  randomMerit: number;
  /** Share of the places that changed which the model found; its figure of merit where that is not told. */
  found: number;
  randomFound: number;
  start: number | undefined;
  end: number | undefined;
}

export interface Run {
  id: string;
  landscape: string;
  scenario: string;
  title: Text;
  storyline: Text;
  created: string;
  /** Nothing intervenes: things go on as they did. */
  asBefore: boolean;
  start: number;
  end: number;
  members: number | undefined;
  seed: number | undefined;
  hindcast: Hindcast | undefined;
  areas: string | undefined;
  synthetic: boolean;
}

/** An observed land-cover map of one year. */
export interface ObservedMap {
  id: string;
  landscape: string;
  year: number;
  bounds: Bounds;
  classes: LandClass[];
  synthetic: boolean;
}

/** An elevation layer, drawn as shaded relief. */
export interface Relief {
  id: string;
  landscape: string;
  bounds: Bounds;
}

/** Hectares by year (rows) and class (columns); the first year is observed, the others projected. */
export interface Areas {
  classes: LandClass[];
  years: number[];
  area_ha: number[][];
  low_ha: number[][];
  high_ha: number[][];
  members: number;
  observed: { years: number[]; area_ha: number[][] };
}

export interface Item {
  id: string;
  bbox?: number[];
  geometry: Geometry | null;
  properties: Record<string, unknown>;
  assets: Record<string, Record<string, unknown> & { href: string }>;
}

interface ItemPage {
  features: Item[];
  links?: { rel: string; href: string; method?: string }[];
}

const PAGES = 20; // of 200 items: a page that shows more than 4,000 maps needs another design
const PATIENCE_MS = 30_000;
const METRES_PER_DEGREE = 111_320;
const NO_COLOUR = "#9a958c";

const base = new URL(".", document.baseURI).href;

/** Everything below the page's own address, so that a path prefix works. */
export function address(path: string): string {
  return base + path;
}

export function tilesOfItem(collection: string, item: string, style?: string): string {
  const path = `collections/${collection}/items/${encodeURIComponent(item)}/tiles/WebMercatorQuad/{z}/{x}/{y}.png`;
  return address(style ? `${path}?style=${style}` : path);
}

export async function loadLandscapes(): Promise<Landscape[]> {
  return (await items("stac/collections/landscapes/items?limit=100")).map(readLandscape);
}

export async function loadRuns(): Promise<Run[]> {
  return (await items("stac/search?collections=runs&limit=200")).map(readRun);
}

export async function loadObserved(): Promise<ObservedMap[]> {
  return (await items("stac/search?collections=land-cover&limit=200"))
    .map(readObserved)
    .filter((map) => Number.isFinite(map.year));
}

export async function loadReliefs(): Promise<Relief[]> {
  return (await items("stac/search?collections=drivers&limit=200"))
    .filter((item) => ["elevation", "dem"].includes(text(item.properties["landscape:layer"])))
    .map((item) => ({ id: item.id, landscape: text(item.properties["landscape:id"]), bounds: boundsOf(item) }));
}

export async function loadAreas(run: Run): Promise<Areas> {
  if (!run.areas) throw new Error(`Run ${run.id} has no areas`);
  const areas = (await fetchJson(run.areas)) as Areas;
  const complete = areas.years.length > 0 && areas.area_ha.length === areas.years.length;
  if (!complete) throw new Error(`The areas of run ${run.id} are not complete`);
  return { ...areas, classes: areas.classes.map((entry) => ({ ...entry, colour: colourOf(entry.colour) })) };
}

export async function items(path: string): Promise<Item[]> {
  const found: Item[] = [];
  let next: string | undefined = address(path);
  for (let page = 0; next && page < PAGES; page++) {
    const answer = (await fetchJson(next)) as ItemPage;
    found.push(...answer.features.filter((item) => item.properties.deprecated !== true));
    next = answer.links?.find((link) => link.rel === "next" && (link.method ?? "GET") === "GET")?.href;
  }
  return found;
}

/** Ask this server; a body is sent as JSON. */
export async function fetchJson(href: string, body?: unknown): Promise<unknown> {
  const sent = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(ownAddress(href), { ...sent, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Refusal(answer.status, await reasonOf(answer));
  return answer.json();
}

/** The server said no, and why. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
  ) {
    super(`${status}: ${reason}`);
  }
}

async function reasonOf(answer: Response): Promise<string> {
  const told = (await answer.json().catch(() => undefined)) as { detail?: unknown } | undefined;
  return text(told?.detail);
}

/** A server behind a proxy that does not tell it so writes links to where it believes to be: mend those. */
export function ownAddress(href: string): string {
  const url = new URL(href, base);
  if (url.href.startsWith(base)) return url.href;
  const path = /\/((?:stac|files)\/.*)$/.exec(url.pathname)?.[1];
  return path ? address(path + url.search) : url.href;
}

function readLandscape(item: Item): Landscape {
  const { properties } = item;
  return {
    id: item.id,
    title: textual(properties["title"]) || item.id,
    description: textual(properties["description"]),
    synthetic: properties["landscape:synthetic"] === true,
    bounds: boundsOf(item),
    outline: item.geometry,
    cellSize: cellSizeOf(properties),
  };
}

function readRun(item: Item): Run {
  const { properties } = item;
  const interventions = properties["scenario:interventions"];
  const start = yearOf(properties["scenario:baseline_datetime"]) ?? yearOf(properties["start_datetime"]) ?? NaN;
  const horizon = number(properties["scenario:horizon_years"]);
  return {
    id: item.id,
    landscape: text(properties["landscape:id"]),
    scenario: text(properties["scenario:id"]) || item.id,
    title: textual(properties["scenario:title"]) || textual(properties["title"]) || item.id,
    storyline: textual(properties["scenario:storyline"]),
    created: text(properties["created"]),
    asBefore: !Array.isArray(interventions) || interventions.length === 0,
    start,
    end: horizon === undefined ? (yearOf(properties["end_datetime"]) ?? start) : start + horizon,
    members: number(properties["scenario:members"]),
    seed: number(properties["scenario:seed"]),
    hindcast: readHindcast(properties["scenario:hindcast"]),
    areas: item.assets["areas"]?.href,
    synthetic: properties["landscape:synthetic"] === true,
  };
}

function readHindcast(value: unknown): Hindcast | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const score = value as Record<string, unknown>;
  const merit = number(score["figure_of_merit"]);
  const randomMerit = number(score["random_figure_of_merit"]);
  if (merit === undefined || randomMerit === undefined) return undefined;
  const found = number(score["found"]) ?? merit;
  const randomFound = number(score["random_found"]) ?? randomMerit;
  return { merit, randomMerit, found, randomFound, start: yearOf(score["start"]), end: yearOf(score["end"]) };
}

function readObserved(item: Item): ObservedMap {
  const { properties } = item;
  return {
    id: item.id,
    landscape: text(properties["landscape:id"]),
    year: yearOf(properties["datetime"]) ?? yearOf(properties["start_datetime"]) ?? NaN,
    bounds: boundsOf(item),
    classes: classesOf(item.assets["data"]),
    synthetic: properties["landscape:synthetic"] === true,
  };
}

/** The legend of a classified asset: `classification:classes` on the asset or on its first band. */
function classesOf(asset: Record<string, unknown> | undefined): LandClass[] {
  const bands = asset?.["bands"] as Record<string, unknown>[] | undefined;
  const listed = asset?.["classification:classes"] ?? bands?.[0]?.["classification:classes"];
  if (!Array.isArray(listed)) return [];
  return (listed as Record<string, unknown>[])
    .filter((entry) => entry["nodata"] !== true)
    .map((entry) => ({
      value: number(entry["value"]) ?? NaN,
      name: text(entry["name"]),
      title: textual(entry["landscape:titles"] ?? entry["title"]) || text(entry["name"]),
      colour: colourOf(`#${text(entry["color_hint"])}`),
    }));
}

export function boundsOf(item: Item): Bounds {
  const box = item.bbox ?? [-180, -85, 180, 85];
  const flat = box.length === 6 ? [box[0], box[1], box[3], box[4]] : box;
  return flat as Bounds;
}

function cellSizeOf(properties: Record<string, unknown>): number | undefined {
  const transform = properties["proj:transform"];
  const side = Array.isArray(transform) ? Math.abs(number(transform[0]) ?? 0) : 0;
  if (side === 0) return undefined;
  return text(properties["proj:code"]) === "EPSG:4326" ? side * METRES_PER_DEGREE : side;
}

export function colourOf(value: unknown): string {
  const colour = text(value).toLowerCase();
  return /^#[0-9a-f]{6}$/.test(colour) ? colour : NO_COLOUR;
}

export function yearOf(value: unknown): number | undefined {
  const year = Number.parseInt(String(value ?? ""), 10);
  return Number.isNaN(year) ? undefined : year;
}

export function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function textual(value: unknown): Text {
  if (typeof value !== "object" || value === null) return text(value);
  const entries = Object.entries(value).filter(([, entry]) => typeof entry === "string");
  return entries.length > 0 ? (Object.fromEntries(entries) as Record<string, string>) : "";
}
