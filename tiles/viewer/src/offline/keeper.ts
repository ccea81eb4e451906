/** Keeps runs when the reader asks for it, and knows of each how far that is. */
import type { Run } from "../commons";
import type { Model } from "../model";
import { archivesOf, keep, keptBytes, remove, weigh } from "./kept-runs";

export type Keeping =
  | { at: "unknown" | "away" | "measuring" | "failed" | "no-room" }
  | { at: "measured"; maps: number; bytes: number }
  | { at: "coming"; maps: number; done: number }
  | { at: "kept"; bytes: number };

const UNKNOWN: Keeping = { at: "unknown" };
const AWAY: Keeping = { at: "away" };

export class Keeper {
  private readonly states = new Map<string, Keeping>();
  private readonly stops = new Map<string, AbortController>();

  constructor(private readonly changed: () => void) {}

  /** How far a run is; it is looked up when it is first asked for. */
  of(run: Run): Keeping {
    const state = this.states.get(run.id);
    if (state) return state;
    this.states.set(run.id, UNKNOWN);
    void this.look(run);
    return UNKNOWN;
  }

  async measure(model: Model, run: Run): Promise<void> {
    const archives = archivesOf(model, run);
    this.tell(run, { at: "measuring" });
    const bytes = await weigh(run, archives).catch(() => undefined);
    this.tell(run, bytes === undefined ? { at: "failed" } : { at: "measured", maps: archives.flat().length, bytes });
  }

  async keep(model: Model, run: Run): Promise<void> {
    const stop = new AbortController();
    const maps = archivesOf(model, run).flat().length;
    this.stops.set(run.id, stop);
    const advance = (done: number): void => this.tell(run, { at: "coming", maps, done });
    advance(0);
    try {
      await keep(model, run, advance, stop.signal);
      await this.look(run);
    } catch (error) {
      this.tell(run, stop.signal.aborted ? AWAY : { at: isFull(error) ? "no-room" : "failed" });
    }
  }

  /** Leave it for now; what has come stays. */
  leave(run: Run): void {
    this.stops.get(run.id)?.abort();
    this.tell(run, AWAY);
  }

  async remove(run: Run): Promise<void> {
    await remove(run);
    this.tell(run, AWAY);
  }

  private async look(run: Run): Promise<void> {
    const bytes = await keptBytes(run).catch(() => undefined);
    this.tell(run, bytes === undefined ? AWAY : { at: "kept", bytes });
  }

  private tell(run: Run, state: Keeping): void {
    this.states.set(run.id, state);
    this.changed();
  }
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}
