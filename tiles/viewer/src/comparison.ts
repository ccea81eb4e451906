/** What the shown map is compared with: another scenario, another year, or what was observed. */
import { chosenRun, chosenStop, nearest, shownRuns, stops, stopsOfRun, type Model, type Stop } from "./model";

/** The stop on the other side; the start of the projection where nothing else is chosen. */
export function comparedStop(model: Model): Stop | undefined {
  const stop = chosenStop(model);
  const { since, against } = model.choice;
  const run = shownRuns(model).find(({ id }) => id === against) ?? chosenRun(model);
  const all = stopsOfRun(model, run);
  if (since !== undefined) return nearest(all, since);
  if (!stop) return undefined;
  return run === chosenRun(model) ? startOf(model) : nearest(all, stop.year);
}

/** The last observed year before the projection, else the first year there is. */
export function startOf(model: Model): Stop | undefined {
  const all = stops(model);
  return all.findLast((stop) => stop.kind === "observed") ?? all[0];
}

/** Whether there is anything to compare. */
export function canCompare(model: Model): boolean {
  return stops(model).length > 1;
}
