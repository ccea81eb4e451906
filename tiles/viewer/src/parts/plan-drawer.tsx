/** Plan: choose a place, choose what to do there, see what it could become. */
import { useState } from "preact/hooks";
import type { Actions } from "../actions";
import { aboutArea } from "../figures";
import { chosenRun, shownRuns, type Model } from "../model";
import { scenarioFile, type MadePlan, type PlanDraft, type PlanKind, type PlanOffer, type PlanProgress } from "../plans";
import { inReadersLanguage, say } from "../words";
import { Choices, NumberField, Select } from "./fields";
import { FailedNotice, Shape } from "./notice";
import { PlaceChooser } from "./place-chooser";
import { runTitle } from "./scenario-cards";

const SUGGESTED_HA = 100;

export function PlanDrawer({ model, actions }: { model: Model; actions: Actions }) {
  const { offer, progress } = model.plan;
  const made = model.plans.find(({ run }) => run.id === (progress?.state === "done" ? progress.id : undefined));
  if (offer.state === "failed") return <FailedNotice text={say(offer.reason ? "planClosed" : "planFailed")} retry={actions.retry} />;
  if (offer.state === "loading") return <Shape heights={[44, 44, 120]} />;
  if (made) return <Made model={model} made={made} actions={actions} />;
  if (progress && progress.state !== "failed") return <Making progress={progress} actions={actions} />;
  return <Draft key={model.plan.landscape} model={model} actions={actions} offer={offer.value} />;
}

function Draft({ model, actions, offer }: { model: Model; actions: Actions; offer: PlanOffer }) {
  const [draft, setDraft] = useState<PlanDraft>(() => firstDraft(offer));
  const change = (part: Partial<PlanDraft>): void => setDraft({ ...draft, ...part });
  const ready = model.choice.place?.kind === "area";
  const { kind, now, to } = draft;
  const title = titleOf(offer, draft);
  const classes = offer.classes.map(({ name, title: own }): [string, string] => [name, inReadersLanguage(own)]);
  return (
    <>
      <h3>{say("planWhere")}</h3>
      <PlaceChooser model={model} actions={actions} areasOnly />
      {ready && <p class="quiet">{say("planHasPlace")}</p>}
      <Choices
        legend={say("planWhat")}
        name="plan"
        value={kind}
        options={[
          ["protect", say("planProtect")],
          ["restore", say("planRestore")],
          ["convert", say("planConvert")],
        ]}
        choose={(chosen: PlanKind) => change({ kind: chosen })}
      />
      <div class="fields">
        <Select
          label={say(kind === "protect" ? "planKeep" : "planNow")}
          value={now}
          options={[["", say("allClasses")], ...classes.filter(([name]) => kind === "protect" || name !== to)]}
          choose={(chosen) => change({ now: chosen })}
        />
        {kind !== "protect" && (
          <>
            <Select label={say("planTo")} value={to} options={classes} choose={(chosen) => change({ to: chosen, now: now === chosen ? "" : now })} />
            <NumberField label={say("planHectares")} value={draft.hectares} least={1} change={(hectares) => change({ hectares })} />
          </>
        )}
        <Years offer={offer} draft={draft} change={change} />
      </div>
      <Trouble model={model} />
      <button type="button" class="button strong" disabled={!ready || !(draft.hectares > 0)} onClick={() => actions.sendPlan(title, draft)}>
        {say("planSee")}
      </button>
    </>
  );
}

function Years({ offer, draft, change }: { offer: PlanOffer; draft: PlanDraft; change: (part: Partial<PlanDraft>) => void }) {
  const [first, last] = offer.years;
  const years = Array.from({ length: last - first + 1 }, (_, index): [string, string] => [String(first + index), String(first + index)]);
  return (
    <div class="field-pair">
      <Select
        label={say("planFrom")}
        value={String(draft.from)}
        options={years.filter(([year]) => Number(year) <= draft.until)}
        choose={(year) => change({ from: Number(year) })}
      />
      <Select
        label={say("planUntil")}
        value={String(draft.until)}
        options={years.filter(([year]) => Number(year) >= draft.from)}
        choose={(year) => change({ until: Number(year) })}
      />
    </div>
  );
}

function Trouble({ model }: { model: Model }) {
  const { trouble } = model.plan;
  if (!trouble) return null;
  const words = { busy: say("planBusy"), failed: say("planFailed"), refused: say("planRefused", { reason: trouble.reason }) };
  return <FailedNotice text={words[trouble.kind]} />;
}

function Making({ progress, actions }: { progress: PlanProgress; actions: Actions }) {
  const { state, year, years } = progress;
  const share = year === undefined ? 0 : (year - years[0] + 1) / (years[1] - years[0] + 1);
  const words = state === "queued" ? say("planQueued") : year === undefined ? say("planLearning") : say("planYear", { year });
  return (
    <>
      <p role="status">{words}</p>
      <progress class="plan-progress" max={1} value={share} aria-label={words} />
      <button type="button" class="button" onClick={actions.cancelPlan}>
        {say("cancel")}
      </button>
    </>
  );
}

/** The number that matters first: how much more or less of the class there could be. */
function Made({ model, made, actions }: { model: Model; made: MadePlan; actions: Actions }) {
  const { areas, difference_ha, run } = made;
  const last = difference_ha.at(-1) ?? [];
  const column = last.reduce((best, value, index) => (Math.abs(value) > Math.abs(last[best] ?? 0) ? index : best), 0);
  const difference = last[column] ?? 0;
  const base = shownRuns(model).find(({ id }) => id === made.base);
  const key = Math.abs(difference) < 1 ? "planSame" : difference > 0 ? "planMore" : "planLess";
  return (
    <>
      <p class="plan-number">
        {say(key, {
          class: inReadersLanguage(areas.classes[column]?.title ?? ""),
          area: aboutArea(difference),
          year: areas.years.at(-1) ?? "",
        })}
      </p>
      <p class="quiet">{say("planBeside", { title: base ? runTitle(base, model) : made.base })}</p>
      {made.missing_ha >= 1 && <p>{say("planMissing", { area: aboutArea(made.missing_ha) })}</p>}
      {chosenRun(model)?.id !== run.id && (
        <button type="button" class="button" onClick={() => actions.choose({ run: run.id, against: made.base, swipe: true })}>
          {say("layerShow")}
        </button>
      )}
      <p class="quiet">{say("planKept")}</p>
      <div class="buttons">
        <a class="button" href={scenarioFile(run.id)} download>
          {say("planFile")}
        </a>
        <button type="button" class="button" onClick={actions.planAgain}>
          {say("planAgain")}
        </button>
      </div>
    </>
  );
}

function firstDraft({ classes, years: [from, until] }: PlanOffer): PlanDraft {
  return { kind: "protect", now: "", to: classes[0]?.name ?? "", hectares: SUGGESTED_HA, from, until };
}

/** What the plan is called among the scenarios. */
function titleOf({ classes }: PlanOffer, { kind, now, to, hectares }: PlanDraft): string {
  const name = (chosen: string): string => inReadersLanguage(classes.find((one) => one.name === chosen)?.title ?? say("allClasses"));
  if (kind === "protect") return say("planTitleProtect", { class: name(now) });
  return say("planTitleChange", { class: name(to), area: aboutArea(hectares) });
}
