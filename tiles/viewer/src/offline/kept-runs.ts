/** Runs that are kept on this device: their packed maps in the browser's store, from where a service worker takes them. */
import { address, loadAreas, loadLandscapes, loadObserved, loadReliefs, loadRuns, tilesOfItem, type Run } from "../commons";
import { coverSheet, veilSheet } from "../frames";
import { reliefOf, shownRuns, stopsOfRun, type Model } from "../model";
import { ask } from "../questions";
import { startWorker, stopWorker } from "./worker";

const TILES = "/tiles/WebMercatorQuad/{z}/{x}/{y}.png";
const BUSY = [429, 503];
const NOT_PACKED = [400, 404]; // a layer whose file nobody could tell apart from another
const TRIES = 10;
const BUSY_MS = 3_000;

/** The scope of the service worker, with which the names of all that is kept begin. */
const scope = address("");
const runsKept = `${scope} run `;

const cacheOf = (run: Run): string => `${runsKept}${run.id} ${run.created}`;
const markOf = (run: Run): string => address(`runs/${encodeURIComponent(run.id)}/kept`);

/** The archives of all maps of a run, with the observed ones before it; those of a group are about as large. */
export function archivesOf(model: Model, run: Run): string[][] {
  const all = stopsOfRun(model, run);
  const years = all.filter(({ kind }) => kind === "projected").map(({ year }) => year);
  const covers = (kind: string): string[] => all.filter((stop) => stop.kind === kind).map((stop) => coverSheet(stop).tiles);
  const veils = (run.members ?? 0) > 1 ? years.map((year) => veilSheet(run, year).tiles) : [];
  const relief = reliefOf(model);
  const reliefs = relief ? [tilesOfItem("drivers", relief.id, "relief")] : [];
  const groups = [covers("projected"), covers("observed"), veils, reliefs].filter((group) => group.length > 0);
  return groups.map((group) => group.map((tiles) => tiles.replace(TILES, "/tiles.pmtiles")));
}

/** About how many bytes are to come: of each group the server packs one archive to tell. */
export async function weigh(run: Run, archives: string[][]): Promise<number> {
  const there = await caches.has(cacheOf(run));
  const cache = there ? await caches.open(cacheOf(run)) : undefined;
  const weights = archives.map(async (group) => {
    const here = await Promise.all(group.map((archive) => cache?.match(archive)));
    const last = await fetchPatiently(group.at(-1) as string, { method: "HEAD" });
    return sizeOf(last) * here.filter((answer) => !answer).length;
  });
  return (await Promise.all(weights)).reduce((sum, weight) => sum + weight, 0);
}

/** Keep a run, and what the page says about it; what was kept of it before is not fetched again. */
export async function keep(model: Model, run: Run, advance: (done: number) => void, signal: AbortSignal): Promise<void> {
  const archives = archivesOf(model, run).flat();
  await startWorker();
  void navigator.storage.persist(); // else a browser that needs room may take it away; some ask the reader first
  await forget((name) => name.startsWith(`${runsKept}${run.id} `) && name !== cacheOf(run));
  const cache = await caches.open(cacheOf(run));
  let bytes = 0;
  for (const [done, archive] of archives.entries()) {
    advance(done);
    bytes += sizeOf((await cache.match(archive)) ?? (await fetchInto(cache, archive, signal)));
  }
  await loadAnswers(model);
  await cache.put(markOf(run), Response.json(bytes));
}

/** How many bytes of a run are kept; undefined where it is not kept whole. */
export async function keptBytes(run: Run): Promise<number | undefined> {
  const mark = await caches.match(markOf(run), { cacheName: cacheOf(run) });
  return mark && ((await mark.json()) as number);
}

/** Remove a run; with the last one the page itself goes too. */
export async function remove(run: Run): Promise<void> {
  await forget((name) => name === cacheOf(run));
  if ((await caches.keys()).some((name) => name.startsWith(runsKept))) return;
  await stopWorker();
  await forget((name) => name.startsWith(`${scope} `));
}

async function forget(isMeant: (name: string) => boolean): Promise<void> {
  await Promise.all((await caches.keys()).filter(isMeant).map((name) => caches.delete(name)));
}

async function fetchInto(cache: Cache, archive: string, signal: AbortSignal): Promise<Response | undefined> {
  const answer = await fetchPatiently(archive, { signal });
  if (answer) await cache.put(archive, answer.clone());
  return answer;
}

/** Undefined where the server does not pack this map. A server that draws for others is asked again. */
async function fetchPatiently(archive: string, asked: RequestInit): Promise<Response | undefined> {
  for (let left = TRIES; ; left--) {
    const answer = await fetch(archive, asked);
    if (answer.ok) return answer;
    if (NOT_PACKED.includes(answer.status)) return undefined;
    if (left === 0 || !BUSY.includes(answer.status)) throw new Error(`${archive}: ${answer.status}`);
    await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    asked.signal?.throwIfAborted();
  }
}

function sizeOf(answer: Response | undefined): number {
  return Number(answer?.headers.get("Content-Length") ?? 0);
}

/** Ask once more what the page asks when it opens, so that the service worker keeps the answers. */
async function loadAnswers(model: Model): Promise<void> {
  const runs = shownRuns(model);
  const { place } = model.choice;
  await Promise.all([loadLandscapes(), loadRuns(), loadObserved(), loadReliefs()]);
  await Promise.allSettled(runs.map(loadAreas)); // of a scenario that failed before, too
  if (place && place.kind !== "whole") await ask(place, runs).catch(() => undefined);
}
