/** Has the server make a plan, and puts it beside the scenarios when it is made. */
import type { Choice } from "./choice";
import { Refusal } from "./commons";
import { chosenLandscape, FAILED, LOADING, valueOf, type Model } from "./model";
import { dropPlan, followPlan, loadOffer, loadPlan, PLAN_ID, sendPlan, type PlanDraft, type PlanProgress } from "./plans";

export class Planner {
  private leave: (() => void) | undefined;
  private readonly tried = new Set<string>();

  constructor(
    private readonly model: Model,
    private readonly changed: (choice?: Partial<Choice>) => void,
  ) {}

  /** Ask what may be planned, once for each landscape. */
  async prepare(): Promise<void> {
    const { model } = this;
    const landscape = chosenLandscape(model)?.id;
    if (!landscape || model.plan.landscape === landscape) return;
    model.plan = { landscape, offer: LOADING, progress: undefined, trouble: undefined };
    const offer = await loadOffer(landscape).then((value) => ({ state: "done" as const, value }), reasonOf);
    if (this.model.plan.landscape === landscape) this.model.plan.offer = offer;
    this.changed();
  }

  async send(title: string, draft: PlanDraft): Promise<void> {
    const { plan, choice } = this.model;
    if (!plan.landscape || choice.place?.kind !== "area") return;
    plan.trouble = undefined;
    try {
      const progress = await sendPlan(plan.landscape, title, choice.place, draft);
      plan.progress = progress;
      this.leave = followPlan(progress, (now) => this.follow(now));
    } catch (error) {
      plan.trouble = error instanceof Refusal ? { kind: error.status === 429 ? "busy" : "refused", reason: error.reason } : { kind: "failed", reason: "" };
    }
    this.changed();
  }

  async cancel(): Promise<void> {
    const { plan } = this.model;
    this.leave?.();
    if (plan.progress) await dropPlan(plan.progress.id).catch(() => undefined);
    plan.progress = undefined;
    this.changed();
  }

  /** Plan something else; what was made stays among the scenarios. */
  again(): void {
    this.model.plan.progress = undefined;
    this.changed();
  }

  /** A link may name a plan: it is there as long as the server keeps it. */
  async open(id: string | undefined): Promise<void> {
    if (!id || !PLAN_ID.test(id) || this.model.runs.state !== "done" || this.tried.has(id)) return;
    this.tried.add(id);
    await this.take(id).catch(() => undefined);
    this.changed();
  }

  private follow(progress: PlanProgress): void {
    const { plan } = this.model;
    if (plan.progress?.id !== progress.id) return;
    plan.progress = progress;
    if (progress.state === "done") void this.show(progress.id);
    else if (progress.state === "failed") plan.trouble = { kind: "failed", reason: "" };
    this.changed();
  }

  /** The new scenario beside its base, in the last year. */
  private async show(id: string): Promise<void> {
    const made = await this.take(id).catch(() => undefined);
    if (!made) this.model.plan.trouble = { kind: "failed", reason: "" };
    this.changed(made && { run: id, year: made.run.end, against: made.base, since: undefined, theme: "cover", swipe: true });
  }

  private async take(id: string) {
    const { model } = this;
    const areasOf = (run: string) => {
      const part = model.areas.get(run);
      return part?.state === "done" ? part.value : undefined;
    };
    const made = await loadPlan(id, valueOf(model.runs), areasOf);
    if (!made) return undefined;
    this.tried.add(id);
    model.areas.set(id, { state: "done", value: made.areas });
    model.plans = [...model.plans.filter((one) => one.run.id !== id), made];
    return made;
  }
}

function reasonOf(error: unknown): { state: "failed"; reason?: string } {
  return error instanceof Refusal && error.status === 404 ? { state: "failed", reason: "closed" } : FAILED;
}
